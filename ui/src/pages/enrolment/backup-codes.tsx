import { useMutation } from "@tanstack/react-query";
import { DownloadIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { BackupCodes } from "../../api/factors.ts";
import { confirmBackupCodes } from "../../api/factors.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { CopyButton } from "../../parts/copy-button.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import styles from "./enrolment.module.css";

interface BackupCodeListProps {
  readonly codes: BackupCodes;
  readonly onStored: () => Promise<void> | void;
}

/** Shown once. The new set counts only when its owner says that they have it. */
export function BackupCodeList({ codes, onStored }: BackupCodeListProps): ReactNode {
  const text = `${codes.codes.join("\n")}\n`;
  const confirming = useMutation({ mutationFn: () => confirmBackupCodes(codes.ceremony), onSuccess: onStored });
  return (
    <div className={styles.form}>
      <p className={styles.sentence}>
        Each of these replaces a lost authenticator or passkey once. They are shown now and never again: print them, or
        keep them in a password manager.
      </p>
      <ul className={styles.codes} aria-label="Backup codes">
        {codes.codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className={styles.tools}>
        <CopyButton text={text} what="codes" labelled />
        <button
          type="button"
          className={classNames(controls.button, controls.small)}
          onClick={() => {
            download(text);
          }}
        >
          <DownloadIcon size={14} aria-hidden="true" />
          Download
        </button>
      </div>
      <RefusedNote failure={confirming.error} />
      <button
        type="button"
        className={classNames(controls.button, controls.primary, styles.main)}
        aria-disabled={confirming.isPending}
        onClick={() => {
          if (!confirming.isPending) confirming.mutate();
        }}
      >
        I have stored them
      </button>
    </div>
  );
}

function download(text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = "countersign-backup-codes.txt";
  link.click();
  URL.revokeObjectURL(address);
}
