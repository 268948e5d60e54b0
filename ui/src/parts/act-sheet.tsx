import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import { classNames } from "../look/class-names.ts";
import { announce } from "./announcer.tsx";
import controls from "./controls.module.css";
import { OutsideText } from "./outside-text.tsx";
import { RefusedNote } from "./refused-note.tsx";
import styles from "./act-sheet.module.css";
import { Sheet } from "./sheet.tsx";
import { TextField } from "./text-field.tsx";

export interface ActGiven {
  readonly reason: string;
  readonly confirm: string;
}

interface ActSheetProps {
  readonly title: string;
  readonly verb: string;
  /** What follows from it. */
  readonly children: ReactNode;
  readonly destructive?: boolean;
  readonly reasoned?: boolean;
  /** R-ADM-9: what cannot be undone is confirmed by writing the name of what it befalls. */
  readonly confirmName?: string;
  readonly done: string;
  readonly act: (given: ActGiven) => Promise<unknown>;
  readonly onClose: () => void;
}

/** One act that changes something: what follows from it, what it needs to be told, and the button. */
export function ActSheet(props: ActSheetProps): ReactNode {
  const { title, verb, children, destructive = false, reasoned = false, confirmName, done, act, onClose } = props;
  const client = useQueryClient();
  const [given, setGiven] = useState<ActGiven>({ reason: "", confirm: "" });
  const [asked, setAsked] = useState(false);
  const missing = missingFrom(given, reasoned, confirmName);
  const mutation = useMutation({
    mutationFn: () => act({ reason: given.reason.trim(), confirm: given.confirm.trim() }),
    onSuccess: async () => {
      announce(done);
      await client.invalidateQueries();
      onClose();
    },
  });
  return (
    <Sheet title={title} onClose={onClose}>
      <form
        className={styles.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (missing.reason === null && missing.confirm === null && !mutation.isPending) mutation.mutate();
        }}
      >
        <div className={styles.follows}>{children}</div>
        {reasoned && (
          <TextField
            label="Reason"
            rows={2}
            maxLength={1000}
            value={given.reason}
            fault={asked ? missing.reason : null}
            onChange={(reason) => {
              setGiven({ ...given, reason });
            }}
          />
        )}
        {confirmName !== undefined && (
          <>
            <TextField
              label="Name, to confirm"
              value={given.confirm}
              autoComplete="off"
              fault={asked ? missing.confirm : null}
              onChange={(confirm) => {
                setGiven({ ...given, confirm });
              }}
            />
            <p className={controls.hint}>
              Write{" "}
              <strong>
                <OutsideText text={confirmName} />
              </strong>
              .
            </p>
          </>
        )}
        <RefusedNote failure={mutation.error} />
        <div className={styles.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Leave as it is
          </button>
          <button
            type="submit"
            className={classNames(controls.button, destructive ? controls.refuse : controls.primary)}
            aria-disabled={mutation.isPending}
          >
            {verb}
          </button>
        </div>
      </form>
    </Sheet>
  );
}

interface Missing {
  readonly reason: string | null;
  readonly confirm: string | null;
}

function missingFrom(given: ActGiven, reasoned: boolean, confirmName: string | undefined): Missing {
  return {
    reason: reasoned && given.reason.trim() === "" ? "Say why; it is kept in the ledger." : null,
    confirm: confirmName !== undefined && given.confirm.trim() !== confirmName.trim() ? "This is not the name." : null,
  };
}
