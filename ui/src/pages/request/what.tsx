import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { Decision } from "../../api/decisions.ts";
import type { Explain } from "../../api/explain.ts";
import type { ApprovalRequest } from "../../api/requests.ts";
import { Digest } from "../../parts/digest.tsx";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { StatusMark } from "../../parts/status-mark.tsx";
import { TimeLeft } from "../../parts/time-left.tsx";
import { isLive, statedReason } from "../requests/request-words.ts";
import { outcomeSentence } from "./outcome-sentence.ts";
import type { PersonNames } from "./person-names.ts";
import { nameOf } from "./person-names.ts";
import styles from "./what.module.css";

interface WhatProps {
  /** The revision on the screen. */
  readonly request: ApprovalRequest;
  /** The same request as the server has it now: status, times, outcome. */
  readonly status: ApprovalRequest;
  readonly explain: Explain | null;
  readonly decisions: readonly Decision[];
  readonly names: PersonNames;
  readonly policiesReadable: boolean;
  readonly inPane: boolean;
}

/** R-CON-1 and R-PAGE-1: what, who asks, why, how long is left and what happens then. */
export function What({ request, status, explain, decisions, names, policiesReadable, inPane }: WhatProps): ReactNode {
  const Heading = inPane ? "h2" : "h1";
  const reason = statedReason(request.context);
  return (
    <header className={styles.what}>
      <div className={styles.head}>
        <p className={styles.type}>
          <OutsideText text={request.artifact_type} />
        </p>
        <StatusMark status={status.status} />
      </div>
      <Heading className={styles.title}>
        <OutsideText text={request.artifact_id} />
      </Heading>
      {request.gate === "deploy" && (
        <p className={styles.sub}>
          <Link to="/deploy/requests/$id" params={{ id: request.id }}>
            Show it as a deploy: commit, checks, builds
          </Link>
        </p>
      )}
      {!isLive(status.status) && <p className={styles.outcome}>{outcomeSentence(status, decisions, names)}</p>}
      {reason !== null && (
        <blockquote className={styles.reason}>
          <OutsideText text={reason.text} />
        </blockquote>
      )}
      <dl className={styles.facts}>
        <Fact word="Asked by">
          <OutsideText text={nameOf(names, request.requester ?? "unknown")} />
          <span className={styles.sub}>
            <Moment at={request.created_at} reachable />
            <Through request={request} />
          </span>
        </Fact>
        <Fact word="Policy">
          <PolicyName request={request} linked={policiesReadable} />
          <span className={styles.sub}>version {request.policy_version}, pinned</span>
        </Fact>
        <WhenItEnds status={status} explain={explain} />
        {request.digest !== null && (
          <Fact word="Digest">
            <Digest digest={request.digest} />
            {request.revision > 1 && <span className={styles.sub}>revision {request.revision}</span>}
          </Fact>
        )}
      </dl>
    </header>
  );
}

function PolicyName({ request, linked }: { readonly request: ApprovalRequest; readonly linked: boolean }): ReactNode {
  if (!linked) return <OutsideText text={request.policy_key} />;
  return (
    <Link to="/policies/$key/$version" params={{ key: request.policy_key, version: String(request.policy_version) }}>
      <OutsideText text={request.policy_key} />
    </Link>
  );
}

function Through({ request }: { readonly request: ApprovalRequest }): ReactNode {
  const { created_by: creator, requester } = request;
  if (creator === null || creator === requester) return null;
  return (
    <>
      {" through "}
      <OutsideText text={creator} />
    </>
  );
}

interface FactProps {
  readonly word: string;
  readonly children: ReactNode;
}

function Fact({ word, children }: FactProps): ReactNode {
  return (
    <div className={styles.fact}>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface WhenItEndsProps {
  readonly status: ApprovalRequest;
  readonly explain: Explain | null;
}

function WhenItEnds({ status, explain }: WhenItEndsProps): ReactNode {
  if (!isLive(status.status)) {
    return (
      <Fact word="Ended">
        {status.completed_at === null ? "–" : <Moment at={status.completed_at} reachable />}
        <span className={styles.sub}>nothing is left to sign</span>
      </Fact>
    );
  }
  const due = explain?.stages.find((stage) => stage.state === "open" && stage.due_at !== null) ?? null;
  return (
    <Fact word="Time left">
      {status.expires_at === null ? (
        "no limit"
      ) : (
        <TimeLeft until={status.expires_at} from={status.created_at} ended="expired" />
      )}
      <span className={styles.sub}>
        {status.expires_at !== null && "then it expires"}
        {due?.due_at != null && (
          <>
            {status.expires_at !== null && "; "}stage due <Moment at={due.due_at} reachable />
          </>
        )}
      </span>
    </Fact>
  );
}
