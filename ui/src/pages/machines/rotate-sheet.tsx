import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { ApiToken } from "../../api/machines.ts";
import { rotateToken } from "../../api/machines.ts";
import { classNames } from "../../look/class-names.ts";
import { Choice } from "../../parts/choice.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { SecretShown } from "./secret-shown.tsx";

const overlaps = [
  { value: "0", word: "stops at once" },
  { value: "1", word: "works for 1 more hour" },
  { value: "24", word: "works for 1 more day" },
  { value: "168", word: "works for 7 more days" },
] as const;

interface RotateSheetProps {
  readonly token: ApiToken;
  readonly onClose: () => void;
}

/** A second secret for the same token; for a while both work, so that nothing stands still. */
export function RotateSheet({ token, onClose }: RotateSheetProps): ReactNode {
  const client = useQueryClient();
  const [overlap, setOverlap] = useState<string>("24");
  const rotating = useMutation({
    mutationFn: () => rotateToken(token.id, Number(overlap)),
    onSuccess: () => client.invalidateQueries({ queryKey: ["tokens"] }),
  });
  return (
    <Sheet title="Rotate token" onClose={onClose}>
      {rotating.data === undefined ? (
        <form
          className={listing.form}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (!rotating.isPending) rotating.mutate();
          }}
        >
          <p>
            <strong>
              <OutsideText text={token.name} />
            </strong>{" "}
            gets a new secret with the same scopes and limits.
          </p>
          <Choice
            label="The old secret"
            value={overlap}
            options={overlaps}
            onChange={(chosen) => {
              setOverlap(chosen ?? "24");
            }}
          />
          <RefusedNote failure={rotating.error} />
          <div className={listing.buttons}>
            <button type="button" className={controls.button} onClick={onClose}>
              Cancel
            </button>
            <button
              type="submit"
              className={classNames(controls.button, controls.primary)}
              aria-disabled={rotating.isPending}
            >
              Rotate
            </button>
          </div>
        </form>
      ) : (
        <SecretShown made={rotating.data} onClose={onClose} />
      )}
    </Sheet>
  );
}
