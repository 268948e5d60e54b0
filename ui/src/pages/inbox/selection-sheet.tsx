import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CheckIcon, FingerprintIcon, XIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import type { InboxItem } from "../../api/inbox.ts";
import { useOwnFactors } from "../../api/factors.ts";
import { serverNow } from "../../api/server-clock.ts";
import type { View } from "../../api/views.ts";
import { useViews } from "../../api/views.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { shownContext } from "../../signing/display-blocks.ts";
import { FieldTable } from "../request/field-table.tsx";
import { neededFor, obstacleTo } from "../request/needed-assurance.ts";
import type { Chosen, Outcome } from "./decide-selected.ts";
import { decideSelected } from "./decide-selected.ts";
import styles from "./selection.module.css";

interface SelectionSheetProps {
  readonly action: "approve" | "reject";
  readonly items: readonly InboxItem[];
  readonly onClose: () => void;
  readonly onDecided: () => void;
}

/** Every item with what it asks for, what is left out and why, one reason, and afterwards what became of each. */
export function SelectionSheet({ action, items, onClose, onDecided }: SelectionSheetProps): ReactNode {
  const client = useQueryClient();
  const [comment, setComment] = useState("");
  const [asked, setAsked] = useState(false);
  const lines = useLines(action, items);
  const deciding = useMutation({
    mutationFn: (chosen: readonly Chosen[]) => decideSelected(chosen, { action, comment: comment.trim() }),
    onSuccess: async (outcomes) => {
      const recorded = outcomes.filter(({ refusal }) => refusal === null).length;
      announce(`${String(recorded)} of ${String(outcomes.length)} recorded.`);
      onDecided();
      await client.invalidateQueries();
    },
  });
  const chosen = lines.flatMap(({ item, view, leftOut }) =>
    view === null || leftOut !== null ? [] : [{ item, view }],
  );
  if (deciding.data !== undefined) {
    return (
      <Sheet title="What became of them" onClose={onClose}>
        <Results lines={lines} outcomes={deciding.data} />
        <div className={listing.buttons}>
          <button type="button" className={classNames(controls.button, controls.primary)} onClick={onClose}>
            Done
          </button>
        </div>
      </Sheet>
    );
  }
  const missing = action === "reject" && comment.trim() === "" ? "Say why you reject: the requesters read it." : null;
  return (
    <Sheet title={`${verbs[action]} ${String(items.length)} requests`} onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (missing === null && chosen.length > 0 && !deciding.isPending) deciding.mutate(chosen);
        }}
      >
        <ul className={styles.items} aria-label="Selected requests">
          {lines.map((line) => (
            <SelectedLine key={line.item.task_id} line={line} action={action} />
          ))}
        </ul>
        <TextField
          label={action === "reject" ? "Reason for rejecting, for all" : "Comment, for all"}
          rows={2}
          maxLength={4000}
          value={comment}
          fault={asked ? missing : null}
          onChange={setComment}
        />
        <Buttons action={action} chosen={chosen} busy={deciding.isPending} onCancel={onClose} />
      </form>
    </Sheet>
  );
}

const verbs = { approve: "Approve", reject: "Reject" } as const;

interface ButtonsProps {
  readonly action: "approve" | "reject";
  readonly chosen: readonly Chosen[];
  readonly busy: boolean;
  readonly onCancel: () => void;
}

function Buttons({ action, chosen, busy, onCancel }: ButtonsProps): ReactNode {
  const signatures = chosen.filter(({ view }) => neededFor(view, action) === "signed").length;
  return (
    <>
      {signatures > 0 && (
        <p className={controls.hint}>
          One touch signs {signatures === 1 ? "1 statement" : `${String(signatures)} statements`}, one for each request.
        </p>
      )}
      <div className={listing.buttons}>
        <button type="button" className={controls.button} onClick={onCancel}>
          Cancel
        </button>
        <button
          type="submit"
          className={classNames(controls.button, action === "reject" ? controls.refuse : controls.primary)}
          aria-disabled={busy || chosen.length === 0}
        >
          {signatures > 0 && <FingerprintIcon size={16} strokeWidth={1.75} aria-hidden="true" />}
          {busy ? "Recording…" : `${verbs[action]} ${String(chosen.length)}`}
        </button>
      </div>
    </>
  );
}

interface Line {
  readonly item: InboxItem;
  /** Null while it is opened, and when it could not be. */
  readonly view: View | null;
  /** Why it cannot be decided here. */
  readonly leftOut: string | null;
}

function useLines(action: "approve" | "reject", items: readonly InboxItem[]): readonly Line[] {
  const own = useOwnFactors().data ?? null;
  const views = useViews(items.map((item) => ({ taskId: item.task_id, digest: item.digest })));
  return items.map((item, index) => {
    const answer = views[index];
    const view = answer?.data ?? null;
    if (view === null) return { item, view, leftOut: answer?.error?.message ?? null };
    if (item.digest !== null && view.digest !== item.digest) {
      return { item, view, leftOut: "It changed since this list was read." };
    }
    return { item, view, leftOut: obstacleTo(neededFor(view, action), view, own, serverNow())?.sentence ?? null };
  });
}

function SelectedLine({ line, action }: { readonly line: Line; readonly action: "approve" | "reject" }): ReactNode {
  const { item, view, leftOut } = line;
  return (
    <li className={classNames(styles.item, leftOut !== null && styles.out)}>
      <p className={listing.name}>
        <OutsideText text={item.title} />
        {view !== null && leftOut === null && neededFor(view, action) !== "session" && (
          <span className={listing.badge}>{neededFor(view, action) === "signed" ? "is signed" : "needs a factor"}</span>
        )}
        {leftOut !== null && <span className={classNames(listing.badge, listing.wait)}>left out</span>}
      </p>
      <p className={listing.about}>
        <span>
          asked by <OutsideText text={item.requester ?? "unknown"} />
        </span>
        {leftOut !== null && <span>{leftOut}</span>}
      </p>
      {view !== null && Object.keys(shownContext(view)).length > 0 && (
        <details className={styles.details}>
          <summary>What it asks for</summary>
          <FieldTable value={shownContext(view)} />
        </details>
      )}
    </li>
  );
}

interface ResultsProps {
  readonly lines: readonly Line[];
  readonly outcomes: readonly Outcome[];
}

/** Each item: recorded, refused with its code, or left out. It stays until it is closed. */
function Results({ lines, outcomes }: ResultsProps): ReactNode {
  return (
    <ul className={styles.items} aria-label="Results">
      {lines.map((line) => (
        <ResultLine
          key={line.item.task_id}
          line={line}
          outcome={outcomes.find(({ taskId }) => taskId === line.item.task_id)}
        />
      ))}
    </ul>
  );
}

interface ResultLineProps {
  readonly line: Line;
  readonly outcome: Outcome | undefined;
}

function ResultLine({ line, outcome }: ResultLineProps): ReactNode {
  const recorded = outcome?.refusal === null;
  const refusal = outcome?.refusal ?? { code: null, message: line.leftOut ?? "It was not decided." };
  const Icon = recorded ? CheckIcon : XIcon;
  return (
    <li className={styles.item}>
      <p className={listing.name}>
        <Icon size={16} aria-hidden="true" className={recorded ? styles.recorded : styles.refused} />
        <OutsideText text={line.item.title} />
      </p>
      {recorded ? (
        <p className={listing.about}>recorded</p>
      ) : (
        <p className={listing.about}>
          <span>{outcome === undefined ? "left out" : "not recorded"}</span>
          <span>
            <OutsideText text={refusal.message} />
          </span>
          {refusal.code !== null && (
            <span>
              <code>{refusal.code}</code>
            </span>
          )}
        </p>
      )}
    </li>
  );
}
