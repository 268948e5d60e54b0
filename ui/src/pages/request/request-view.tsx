import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useEffect, useState } from "react";

import type { Explain } from "../../api/explain.ts";
import type { ApprovalRequest } from "../../api/requests.ts";
import { useDecisions, useEvents, useExplain, useRequest } from "../../api/requests.ts";
import type { Me } from "../../api/session.ts";
import { may, meQuery } from "../../api/session.ts";
import { Refusal } from "../../api/call.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { NotFoundPage } from "../not-found-page.tsx";
import { isLive, titleOf } from "../requests/request-words.ts";
import { ContextPanes } from "./context-panes.tsx";
import { DecisionBar } from "./decision-bar.tsx";
import { namesOf } from "./person-names.ts";
import styles from "./request-view.module.css";
import { SignaturePanel } from "./signature-panel.tsx";
import { StaleNotice } from "./stale-notice.tsx";
import { Timeline } from "./timeline.tsx";
import { useLastMinutes } from "./use-last-minutes.ts";
import { What } from "./what.tsx";

interface RequestViewProps {
  readonly id: string;
  /** a or r was pressed: bring the focus to that decision once it can be made. */
  readonly intent: "approve" | "reject" | undefined;
  readonly onIntentTaken: () => void;
  readonly inPane?: boolean;
}

/** One request: what, who must sign, the evidence, what happened, and the decision, on one page (R-CON-1, R-CON-3). */
export function RequestView({ id, intent, onIntentTaken, inPane = false }: RequestViewProps): ReactNode {
  const me = useQuery(meQuery).data;
  const request = useRequest(id);
  const explain = useExplain(id);
  if (request.isError && request.data === undefined) {
    const gone = request.error instanceof Refusal && [404, 422].includes(request.error.status);
    return gone ? (
      <NotFoundPage />
    ) : (
      <Failed
        what="The request"
        failure={request.error}
        since={request.errorUpdatedAt}
        onRetry={() => void request.refetch()}
      />
    );
  }
  if (request.data === undefined || me === undefined) return <Loading rows={6} label="the request" />;
  return (
    <Loaded
      me={me}
      current={request.data}
      explain={explain.data ?? null}
      explainFailure={explain.error}
      intent={intent}
      onIntentTaken={onIntentTaken}
      inPane={inPane}
    />
  );
}

interface LoadedProps {
  readonly me: Me;
  readonly current: ApprovalRequest;
  readonly explain: Explain | null;
  readonly explainFailure: Error | null;
  readonly intent: "approve" | "reject" | undefined;
  readonly onIntentTaken: () => void;
  readonly inPane: boolean;
}

function Loaded({ me, current, explain, explainFailure, intent, onIntentTaken, inPane }: LoadedProps): ReactNode {
  const { shown, stale, showCurrent } = usePinned(current);
  const events = useEvents(current.id);
  const decisions = useDecisions(current.id);
  const names = namesOf(explain, me);
  useLastMinutes(isLive(current.status) ? current.expires_at : null);
  useEffect(() => {
    if (!inPane) document.title = `${titleOf(current)} · Countersign`;
  }, [current, inPane]);
  return (
    <article className={styles.view} aria-label={titleOf(current)}>
      <div className={styles.sheet}>
        <div className={styles.what}>
          {stale && <StaleNotice shown={shown} current={current} onShow={showCurrent} />}
          <What
            request={shown}
            status={current}
            explain={explain}
            decisions={decisions.data ?? []}
            names={names}
            policiesReadable={may(me, "approval:policy:read")}
            inPane={inPane}
          />
        </div>
        <div className={styles.signatures}>
          {explainFailure !== null && explain === null ? (
            <Failed what="Who must sign" failure={explainFailure} />
          ) : (
            <SignaturePanel explain={explain} decisions={decisions.data ?? []} names={names} />
          )}
        </div>
        <div className={styles.evidence}>
          <ContextPanes request={shown} />
        </div>
        <div className={styles.timeline}>
          <Timeline events={events.data ?? []} failure={events.error} names={names} />
        </div>
      </div>
      <DecisionBar
        me={me}
        request={shown}
        status={current.status}
        explain={explain}
        stale={stale}
        intent={intent}
        onIntentTaken={onIntentTaken}
      />
    </article>
  );
}

interface Pinned {
  readonly shown: ApprovalRequest;
  readonly stale: boolean;
  readonly showCurrent: () => void;
}

/**
 * What was shown is what is bound: the page keeps the revision that its reader opened until they ask for the new one.
 * Status, times and outcome follow the server; digest and context do not.
 */
function usePinned(current: ApprovalRequest): Pinned {
  const [pinned, setPinned] = useState(current);
  const stale = pinned.digest !== current.digest || pinned.revision !== current.revision;
  return {
    shown: stale ? pinned : current,
    stale,
    showCurrent: () => {
      setPinned(current);
    },
  };
}
