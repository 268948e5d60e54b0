import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Json } from "../../api/read.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { imageVerdict } from "./image-verdict.ts";
import styles from "./settings.module.css";

/** R-UI-5: an image goes in, the verdict of the patterns as they are now comes out. Nothing is changed by trying. */
export function ImageTester({ patterns }: { readonly patterns: Json }): ReactNode {
  const [service, setService] = useState("web");
  const [image, setImage] = useState("");
  const [commit, setCommit] = useState("");
  const full = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
  const trying = useMutation({
    mutationFn: () => imageVerdict({ service: service.trim(), image: image.trim(), commit: commit.trim(), patterns }),
  });
  const commitFault =
    commit.trim() === "" || full.test(commit.trim()) ? null : "A full commit id has 40 or 64 hexadecimal digits.";
  return (
    <form
      className={styles.tools}
      noValidate
      aria-label="Try an image"
      onSubmit={(event) => {
        event.preventDefault();
        if (full.test(commit.trim()) && image.trim() !== "") trying.mutate();
      }}
    >
      <h3 className={listing.title}>Try an image</h3>
      <div className={styles.line}>
        <TextField label="Service" autoComplete="off" value={service} onChange={setService} />
        <TextField label="Image" autoComplete="off" mono value={image} onChange={setImage} />
        <TextField label="Commit" autoComplete="off" mono value={commit} fault={commitFault} onChange={setCommit} />
        <button type="submit" className={controls.button}>
          Try
        </button>
      </div>
      {trying.data !== undefined && (
        <p className={styles.verdict} role="status">
          <strong className={classNames(trying.data.fits ? styles.good : styles.bad)}>
            {trying.data.fits ? "✓ passes" : "✕ refused"}
          </strong>
          <OutsideText text={trying.data.sentence} />
        </p>
      )}
    </form>
  );
}
