import { FingerprintIcon } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { useEffect, useRef, useState } from "react";

import type { Decision, DecisionAction } from "../../api/decisions.ts";
import { useOwnFactors } from "../../api/factors.ts";
import type { ApprovalRequest } from "../../api/requests.ts";
import { serverNow } from "../../api/server-clock.ts";
import type { View } from "../../api/views.ts";
import { useView } from "../../api/views.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { shortDigest } from "../../parts/digest.tsx";
import { useKeptDraft } from "../../parts/kept-draft.ts";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusalText } from "../../parts/states.tsx";
import { titleOf } from "../requests/request-words.ts";
import styles from "./decision-bar.module.css";
import type { Needed } from "./needed-assurance.ts";
import { neededFor, obstacleTo } from "./needed-assurance.ts";
import { ObstacleNote } from "./obstacle-note.tsx";
import { SignedDetails } from "./signed-details.tsx";
import { useDecide } from "./use-decide.ts";

interface DecisionFormProps {
  readonly taskId: string;
  readonly request: ApprovalRequest;
  readonly actions: readonly string[];
  readonly stale: boolean;
  readonly intent: "approve" | "reject" | undefined;
  readonly onIntentTaken: () => void;
  readonly onRecorded: (decision: Decision) => void;
  /** What else can be done here: claim, cancel. */
  readonly children: ReactNode;
}

export function DecisionForm(props: DecisionFormProps): ReactNode {
  const { taskId, request, actions, stale, intent, onIntentTaken, onRecorded, children } = props;
  const [comment, setComment] = useKeptDraft(`decision.${taskId}`);
  const [rejecting, setRejecting] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const approve = useRef<HTMLButtonElement>(null);
  const view = useView({ taskId, digest: request.digest }).data;
  const decide = useDecide(request, taskId, (decision) => {
    setComment("");
    onRecorded(decision);
  });
  const proving = useProving(view);
  useEffect(() => {
    if (intent === undefined) return;
    setRejecting(intent === "reject");
    if (intent === "reject") field.current?.focus();
    else approve.current?.focus();
    onIntentTaken();
  }, [intent, onIntentTaken]);
  const send = (action: DecisionAction): void => {
    if (stale || decide.isPending || proving.obstacle(action) !== null) return;
    setRejecting(action === "reject");
    if (action === "reject" && comment.trim() === "") {
      decide.askForReason();
      field.current?.focus();
      return;
    }
    decide.send(action, comment);
  };
  const obstacle = proving.obstacle("approve");
  const button = (action: DecisionAction): Omit<ActionButtonProps, "word" | "className"> => ({
    action,
    actions,
    needed: proving.needed(action),
    disabled: stale || decide.isPending || proving.obstacle(action) !== null,
    describedBy: proving.obstacle(action) === null ? undefined : "decision-obstacle",
    pending: decide.pending,
    send,
  });
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <div className={styles.meta}>
        <Bound request={request} signed={proving.needed("approve") === "signed"} />
        <div className={styles.more}>
          {children}
          <ActionButton {...button("abstain")} word="Abstain" className={classNames(controls.small, controls.quiet)} />
        </div>
      </div>
      {view !== undefined && proving.needed("approve") === "signed" && <SignedDetails view={view} />}
      {decide.refusal !== null && (
        <div className={styles.refused} role="alert">
          <RefusalText failure={decide.refusal} />
        </div>
      )}
      {obstacle !== null && <ObstacleNote obstacle={obstacle} />}
      <div className={styles.act}>
        <CommentField
          field={field}
          rejecting={rejecting}
          comment={comment}
          fault={comment.trim() === "" ? decide.fault : null}
          onChange={setComment}
          onReject={() => {
            send("reject");
          }}
        />
        <div className={styles.buttons}>
          <ActionButton {...button("reject")} word="Reject" className={controls.refuse} />
          <ActionButton {...button("approve")} word="Approve" className={controls.primary} button={approve} />
        </div>
      </div>
      {stale && <p className={controls.fault}>The request changed: show the new version before you decide.</p>}
    </form>
  );
}

interface Proving {
  readonly needed: (action: DecisionAction) => Needed;
  readonly obstacle: (action: DecisionAction) => ReturnType<typeof obstacleTo>;
}

/** Until the server has answered, a decision is taken for an ordinary one; sending it waits for the answer all the same. */
function useProving(view: View | undefined): Proving {
  const asked = view !== undefined && (view.assurance.approve !== "session" || view.assurance.reject !== "session");
  const own = useOwnFactors(asked).data ?? null;
  return {
    needed: (action) => (view === undefined ? "session" : neededFor(view, action)),
    obstacle: (action) => (view === undefined ? null : obstacleTo(neededFor(view, action), view, own, serverNow())),
  };
}

interface BoundProps {
  readonly request: ApprovalRequest;
  readonly signed: boolean;
}

/** R-DEC-1: what is decided on, from the same data that is sent. */
function Bound({ request, signed }: BoundProps): ReactNode {
  return (
    <p className={styles.bound}>
      <span className={styles.lead}>{signed ? "You sign for" : "You decide on"}</span>
      <strong>
        <OutsideText text={titleOf(request)} />
      </strong>
      {request.digest !== null && <code title={request.digest}>{shortDigest(request.digest)}</code>}
    </p>
  );
}

interface CommentFieldProps {
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly rejecting: boolean;
  readonly comment: string;
  readonly fault: string | null;
  readonly onChange: (comment: string) => void;
  readonly onReject: () => void;
}

function CommentField({ field, rejecting, comment, fault, onChange, onReject }: CommentFieldProps): ReactNode {
  return (
    <div className={styles.comment}>
      <textarea
        ref={field}
        rows={1}
        className={controls.input}
        aria-label={rejecting ? "Reason for rejecting" : "Comment"}
        placeholder={rejecting ? "Why do you reject? The requester reads this." : "Comment – needed to reject"}
        aria-invalid={fault !== null}
        aria-describedby={fault === null ? undefined : "decision-fault"}
        maxLength={4000}
        value={comment}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && rejecting) onReject();
        }}
      />
      {fault !== null && (
        <p id="decision-fault" className={controls.fault} role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}

interface ActionButtonProps {
  readonly action: DecisionAction;
  readonly word: string;
  readonly className: string | undefined;
  /** What the server says this person may do. */
  readonly actions: readonly string[];
  readonly needed: Needed;
  readonly disabled: boolean;
  /** What says why it is disabled. */
  readonly describedBy: string | undefined;
  readonly pending: DecisionAction | null;
  readonly send: (action: DecisionAction) => void;
  readonly button?: RefObject<HTMLButtonElement | null>;
}

/** Stays focusable while disabled, so that the focus is not lost when the answer comes. */
function ActionButton(props: ActionButtonProps): ReactNode {
  const { action, word, className, actions, needed, disabled, describedBy, pending, send, button } = props;
  if (!actions.includes(action)) return null;
  const signed = needed === "signed";
  return (
    <button
      ref={button}
      type="button"
      className={classNames(controls.button, className)}
      aria-disabled={disabled}
      aria-describedby={describedBy}
      onClick={() => {
        send(action);
      }}
    >
      {signed && <FingerprintIcon size={16} strokeWidth={1.75} aria-hidden="true" />}
      {pending === action ? pendingWords[needed] : signed ? signedWords[action] : word}
    </button>
  );
}

const pendingWords: Readonly<Record<Needed, string>> = {
  session: "Recording…",
  mfa: "Confirming…",
  signed: "Signing…",
};

const signedWords: Readonly<Record<DecisionAction, string>> = {
  approve: "Sign with passkey",
  reject: "Reject with passkey",
  abstain: "Abstain with passkey",
};
