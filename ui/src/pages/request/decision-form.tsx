import type { ReactNode, RefObject } from "react";
import { useEffect, useRef, useState } from "react";

import type { Decision, DecisionAction } from "../../api/decisions.ts";
import type { ApprovalRequest } from "../../api/requests.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { shortDigest } from "../../parts/digest.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusalText } from "../../parts/states.tsx";
import { titleOf } from "../requests/request-words.ts";
import styles from "./decision-bar.module.css";
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
  const [comment, setComment] = useState("");
  const [rejecting, setRejecting] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const approve = useRef<HTMLButtonElement>(null);
  const decide = useDecide(request, taskId, onRecorded);
  useEffect(() => {
    if (intent === undefined) return;
    setRejecting(intent === "reject");
    if (intent === "reject") field.current?.focus();
    else approve.current?.focus();
    onIntentTaken();
  }, [intent, onIntentTaken]);
  const send = (action: DecisionAction): void => {
    if (stale || decide.isPending) return;
    setRejecting(action === "reject");
    if (action === "reject" && comment.trim() === "") {
      decide.askForReason();
      field.current?.focus();
      return;
    }
    decide.send(action, comment);
  };
  const buttons = { actions, disabled: stale || decide.isPending, pending: decide.pending, send };
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <div className={styles.meta}>
        <Bound request={request} />
        <div className={styles.more}>
          {children}
          <ActionButton
            {...buttons}
            action="abstain"
            word="Abstain"
            className={classNames(controls.small, controls.quiet)}
          />
        </div>
      </div>
      {decide.refusal !== null && (
        <div className={styles.refused} role="alert">
          <RefusalText failure={decide.refusal} />
        </div>
      )}
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
          <ActionButton {...buttons} action="reject" word="Reject" className={controls.refuse} />
          <ActionButton {...buttons} action="approve" word="Approve" className={controls.primary} button={approve} />
        </div>
      </div>
      {stale && <p className={controls.fault}>The request changed: show the new version before you decide.</p>}
    </form>
  );
}

/** R-DEC-1: what is decided on, from the same data that is sent. */
function Bound({ request }: { readonly request: ApprovalRequest }): ReactNode {
  return (
    <p className={styles.bound}>
      <span className={styles.lead}>You decide on</span>
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
  readonly disabled: boolean;
  readonly pending: DecisionAction | null;
  readonly send: (action: DecisionAction) => void;
  readonly button?: RefObject<HTMLButtonElement | null>;
}

/** Stays focusable while disabled, so that the focus is not lost when the answer comes. */
function ActionButton({
  action,
  word,
  className,
  actions,
  disabled,
  pending,
  send,
  button,
}: ActionButtonProps): ReactNode {
  if (!actions.includes(action)) return null;
  return (
    <button
      ref={button}
      type="button"
      className={classNames(controls.button, className)}
      aria-disabled={disabled}
      onClick={() => {
        send(action);
      }}
    >
      {pending === action ? "Recording…" : word}
    </button>
  );
}
