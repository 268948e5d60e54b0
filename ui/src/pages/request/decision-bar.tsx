import type { ReactNode } from "react";
import { useEffect, useRef, useState } from "react";

import type { Decision } from "../../api/decisions.ts";
import type { Explain } from "../../api/explain.ts";
import type { ApprovalRequest } from "../../api/requests.ts";
import { useOwnFactors } from "../../api/factors.ts";
import { useDecisions } from "../../api/requests.ts";
import type { Me } from "../../api/session.ts";
import { may } from "../../api/session.ts";
import { announce } from "../../parts/announcer.tsx";
import { useShortcuts } from "../../shell/shortcuts.ts";
import { isLive } from "../requests/request-words.ts";
import { CancelButton } from "./cancel-button.tsx";
import { ClaimButton } from "./claim-button.tsx";
import styles from "./decision-bar.module.css";
import { DecisionForm } from "./decision-form.tsx";
import { recordedProof, recordedSentence } from "./recorded-sentence.ts";
import { WhyNotMe } from "./why-not-me.tsx";

interface DecisionBarProps {
  readonly me: Me;
  readonly request: ApprovalRequest;
  /** The status as the server has it now; the rest of the request is the revision on the screen. */
  readonly status: string;
  readonly explain: Explain | null;
  readonly stale: boolean;
  readonly intent: "approve" | "reject" | undefined;
  readonly onIntentTaken: () => void;
}

/** R-CON-3, R-CON-4: the decision is made where the evidence is, and the server says who may make it. */
export function DecisionBar(props: DecisionBarProps): ReactNode {
  const { explain, ...rest } = props;
  if (explain === null) return <section className={styles.bar} aria-label="Decision" aria-busy="true" />;
  return (
    <section className={styles.bar} aria-label="Decision">
      <div className={styles.inner}>
        <ExplainedBar explain={explain} {...rest} />
      </div>
    </section>
  );
}

interface ExplainedBarProps extends Omit<DecisionBarProps, "explain"> {
  readonly explain: Explain;
}

function ExplainedBar(props: ExplainedBarProps): ReactNode {
  const { me, request, status, explain, stale, intent, onIntentTaken } = props;
  const [recorded, setRecorded] = useState<Decision | null>(null);
  const standing = { status, quarantined: me.quarantined, recordedTaskId: recorded?.task_id ?? null };
  const taskId = decidableTask(explain, standing);
  const cancel = mayCancel(me, request, status) && <CancelButton me={me} request={request} />;
  const why = useWhy(taskId === null ? intent : undefined, onIntentTaken);
  return (
    <>
      {recorded !== null && <Recorded key={recorded.id} decision={recorded} explain={explain} />}
      {taskId !== null && (
        <DecisionForm
          key={taskId}
          taskId={taskId}
          request={request}
          actions={explain.you.actions}
          stale={stale}
          intent={intent}
          onIntentTaken={onIntentTaken}
          onRecorded={setRecorded}
        >
          <ClaimButton requestId={request.id} taskId={taskId} />
          {cancel}
        </DecisionForm>
      )}
      {taskId === null && recorded === null && (
        <WhyNotMe
          sentence={closedSentence(status, me.quarantined)}
          reasons={isLive(status) ? explain.you.reasons : []}
          shown={why.shown}
          onToggle={why.toggle}
        >
          {cancel}
        </WhyNotMe>
      )}
    </>
  );
}

interface RecordedProps {
  readonly decision: Decision;
  readonly explain: Explain;
}

/** The button that was pressed is gone: the focus goes to what it did, so that it is read out and not lost. */
function Recorded({ decision, explain }: RecordedProps): ReactNode {
  const text = useRef<HTMLParagraphElement>(null);
  const written = useDecisions(decision.request_id).data?.find((each) => each.id === decision.id);
  const own = useOwnFactors(decision.assurance === "signed").data ?? null;
  useEffect(() => {
    text.current?.focus({ preventScroll: true });
  }, []);
  return (
    <p ref={text} tabIndex={-1} className={styles.recorded}>
      {recordedSentence(decision, explain)} <span>{recordedProof(written, own)}</span>
    </p>
  );
}

interface Standing {
  readonly status: string;
  readonly quarantined: boolean;
  /** The task this page has just decided: its form is gone before the server is asked again. */
  readonly recordedTaskId: string | null;
}

function decidableTask(explain: Explain, standing: Standing): string | null {
  if (!isLive(standing.status) || standing.quarantined || !explain.you.can_decide) return null;
  return explain.you.task_id === standing.recordedTaskId ? null : explain.you.task_id;
}

function mayCancel(me: Me, request: ApprovalRequest, status: string): boolean {
  return (
    isLive(status) && !me.quarantined && (may(me, "approval:request:cancel_all") || me.assignee === request.requester)
  );
}

/** The reasons unfold with e, and when somebody who cannot decide asks for the decision. */
function useWhy(
  intent: "approve" | "reject" | undefined,
  onIntentTaken: () => void,
): { readonly shown: boolean; readonly toggle: () => void } {
  const [shown, setShown] = useState(false);
  const toggle = (): void => {
    setShown((before) => !before);
  };
  useShortcuts({ e: toggle });
  useEffect(() => {
    if (intent === undefined) return;
    setShown(true);
    announce("You cannot decide on this request.");
    onIntentTaken();
  }, [intent, onIntentTaken]);
  return { shown, toggle };
}

function closedSentence(status: string, quarantined: boolean): string {
  if (quarantined) return "Nothing can be decided while the ledger is in quarantine.";
  if (!isLive(status)) return `This request has ended: ${status.replaceAll("_", " ")}. Nothing is left to decide.`;
  return "There is nothing for you to decide here.";
}
