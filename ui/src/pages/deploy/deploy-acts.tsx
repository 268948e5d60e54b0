import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";

import { Refusal } from "../../api/call.ts";
import type { DeployAct, DeployApproval } from "../../api/deploy-approvals.ts";
import { actOnDeploy } from "../../api/deploy-approvals.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import { Digest } from "../../parts/digest.tsx";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { useShortcuts } from "../../shell/shortcuts.ts";
import bar from "../request/decision-bar.module.css";
import { changedSince } from "./changed-since.ts";
import { deployTitle, isOpen } from "./deploy-words.ts";
import { NewEnd } from "./new-end.tsx";

interface DeployActsProps {
  readonly approval: DeployApproval;
  /** Something changed that the reader has not yet said to have seen. */
  readonly unseen: boolean;
  readonly onActed: (approval: DeployApproval) => void;
}

interface Offer {
  readonly act: DeployAct;
  readonly word: string;
  readonly allowed: boolean;
  readonly look: string | undefined;
}

/** R-UI-9: everything that the server would let this reader do and nothing else, with the reason where it would not. */
export function DeployActs({ approval, unseen, onActed }: DeployActsProps): ReactNode {
  const [asked, setAsked] = useState<DeployAct | null>(null);
  const { viewer } = approval;
  const offers = offersFor(approval);
  const open = (act: DeployAct): void => {
    if (!unseen && offers.some((offer) => offer.act === act)) setAsked(act);
  };
  useShortcuts({
    a: () => {
      open("approve");
    },
    r: () => {
      open("reject");
    },
  });
  if (!isOpen(approval)) return null;
  return (
    <div className={bar.bar}>
      <div className={bar.inner}>
        {approval.status === "pending" && !viewer.can_approve && viewer.why_not !== null && (
          <p className={bar.obstacle}>
            <OutsideText text={viewer.why_not} />
          </p>
        )}
        {unseen && <p className={bar.obstacle}>Look at what changed first, and say so above.</p>}
        <div className={bar.whyLine}>
          <span className={bar.bound}>
            <strong>{deployTitle(approval)}</strong>
            {approval.payload_digest !== null && <Digest digest={approval.payload_digest} />}
          </span>
          <span className={bar.buttons}>
            {offers.map(({ act, word, look }) => (
              <button
                key={act}
                type="button"
                className={classNames(controls.button, look)}
                aria-disabled={unseen}
                onClick={() => {
                  open(act);
                }}
              >
                {word}
              </button>
            ))}
          </span>
        </div>
      </div>
      {asked !== null && (
        <ActSheetFor
          act={asked}
          approval={approval}
          onActed={onActed}
          onClose={() => {
            setAsked(null);
          }}
        />
      )}
    </div>
  );
}

function offersFor({ status, viewer }: DeployApproval): readonly Offer[] {
  const all: readonly Offer[] = [
    { act: "cancel", word: "Cancel request", allowed: viewer.can_cancel, look: undefined },
    {
      act: "reject",
      word: status === "approved" ? "Take back" : "Reject",
      allowed: viewer.can_reject,
      look: controls.refuse,
    },
    { act: "extend", word: "Extend", allowed: viewer.can_extend, look: undefined },
    { act: "approve", word: "Approve", allowed: viewer.can_approve, look: controls.primary },
  ];
  return all.filter(({ allowed }) => allowed);
}

interface ActWords {
  readonly title: string;
  readonly verb: string;
  readonly notes: string;
  readonly follows: string;
  readonly done: string;
}

const words: Readonly<Record<DeployAct, ActWords>> = {
  approve: {
    title: "Approve deploy",
    verb: "Approve",
    notes: "Notes (optional)",
    follows: "You confirm with a factor; the proof counts for this request and for nothing else.",
    done: "Your approval is recorded.",
  },
  reject: {
    title: "Reject deploy",
    verb: "Reject",
    notes: "Reason (optional)",
    follows: "Nothing may be deployed with this request from then on. The reason is told to whoever waits for it.",
    done: "The request is rejected.",
  },
  extend: {
    title: "Extend approval",
    verb: "Extend",
    notes: "Notes (optional)",
    follows: "You confirm with a factor.",
    done: "The approval is extended.",
  },
  cancel: {
    title: "Cancel request",
    verb: "Cancel request",
    notes: "Reason (optional)",
    follows: "Nobody is asked any more, and nothing may be deployed with it.",
    done: "The request is cancelled.",
  },
};

interface ActSheetForProps {
  readonly act: DeployAct;
  readonly approval: DeployApproval;
  readonly onActed: (approval: DeployApproval) => void;
  readonly onClose: () => void;
}

/** What the sheet was opened on is what is acted on (R-STATE-4); progress of outside calls alone does not count. */
function ActSheetFor({ act, approval, onActed, onClose }: ActSheetForProps): ReactNode {
  const client = useQueryClient();
  const [notes, setNotes] = useState("");
  const [opened] = useState(approval);
  const { title, verb, notes: label, follows, done } = words[act];
  const { version } = changedSince(opened, approval).length === 0 ? approval : opened;
  const sending = useMutation({
    mutationFn: () => actOnDeploy({ id: approval.public_id, act, notes, version }),
    onSuccess: async (answer) => {
      announce(done);
      onActed(answer);
      client.setQueryData(["request", approval.public_id, "deploy"], answer);
      onClose();
      await client.invalidateQueries();
    },
    onError: () => client.invalidateQueries({ queryKey: ["request", approval.public_id] }),
  });
  return (
    <Sheet title={title} onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!sending.isPending) sending.mutate();
        }}
      >
        <p>
          <strong>{deployTitle(approval)}</strong>
        </p>
        {approval.payload_digest !== null && (
          <p>
            Digest <Digest digest={approval.payload_digest} />
          </p>
        )}
        {act === "extend" && <NewEnd approval={approval} />}
        <p>{follows}</p>
        <TextField label={label} rows={3} maxLength={4_000} value={notes} onChange={setNotes} />
        <RefusedNote failure={sending.error} />
        {sending.error instanceof Refusal && sending.error.code === "signature_required" && (
          <p>
            This policy wants a signature:{" "}
            <Link to="/requests/$id" params={{ id: approval.public_id }}>
              sign on the page of the bound text
            </Link>
            .
          </p>
        )}
        <div className={listing.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Leave as it is
          </button>
          <button
            type="submit"
            className={classNames(
              controls.button,
              act === "reject" || act === "cancel" ? controls.refuse : controls.primary,
            )}
            aria-disabled={sending.isPending}
          >
            {verb}
          </button>
        </div>
      </form>
    </Sheet>
  );
}
