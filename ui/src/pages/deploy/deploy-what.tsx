import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { DeployApproval } from "../../api/deploy-approvals.ts";
import { Digest } from "../../parts/digest.tsx";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { StatusMark } from "../../parts/status-mark.tsx";
import { TimeLeft } from "../../parts/time-left.tsx";
import what from "../request/what.module.css";
import styles from "./deploy-what.module.css";
import {
  askedWith,
  deployMark,
  deployTitle,
  endedAt,
  openUntil,
  outcomeWords,
  pullRequestWords,
  shortCommit,
} from "./deploy-words.ts";
import type { DeployedBefore } from "./deployed-before.ts";
import { useDeployedBefore } from "./deployed-before.ts";
import { OutsideLink } from "./outside-link.tsx";

/** What goes where, why, who asks, from what to what, and how long is left. */
export function DeployWhat({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const outcome = outcomeWords(approval);
  return (
    <header className={what.what}>
      <div className={what.head}>
        <p className={what.type}>
          <Link to="/deploy/apps/$rack/$app" params={{ rack: approval.scope, app: approval.app }}>
            <OutsideText text={`${approval.scope}/${approval.app}`} />
          </Link>
        </p>
        <StatusMark status={deployMark(approval.status)} />
      </div>
      <h1 className={what.title}>{deployTitle(approval)}</h1>
      {outcome !== null && (
        <p className={what.outcome}>
          <OutsideText text={outcome} />
          {approval.superseded_by !== null && (
            <>
              {" "}
              <Link to="/deploy/requests/$id" params={{ id: approval.superseded_by }}>
                Show the newer one
              </Link>
            </>
          )}
        </p>
      )}
      <blockquote className={what.reason}>
        <OutsideText text={approval.message} />
      </blockquote>
      {approval.approval_notes !== null && (
        <p className={styles.notes}>
          Notes: <OutsideText text={approval.approval_notes} />
        </p>
      )}
      <dl className={styles.facts}>
        <Fact word="Commit">
          <OutsideLink to={approval.commit_url} text={approval.git_commit_hash} mono />
          <CommitLine approval={approval} />
        </Fact>
        <Fact word="Branch">
          {approval.git_branch === null ? (
            "not named"
          ) : (
            <OutsideLink to={approval.branch_url} text={approval.git_branch} />
          )}
        </Fact>
        <Fact word="Pull request">
          <PullRequest approval={approval} />
        </Fact>
        <Fact word="Running now">
          <Running approval={approval} />
        </Fact>
        <Fact word="Asked by">
          <Asker approval={approval} />
        </Fact>
        <Fact word={openUntil(approval) === null ? "Ended" : "Time left"}>
          <Ending approval={approval} />
        </Fact>
        <Fact word="Digest">
          {approval.payload_digest === null ? "–" : <Digest digest={approval.payload_digest} />}
          <span className={what.sub}>
            <Link to="/requests/$id" params={{ id: approval.public_id }}>
              what exactly is bound
            </Link>
          </span>
        </Fact>
      </dl>
    </header>
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

function CommitLine({ approval: { commit } }: { readonly approval: DeployApproval }): ReactNode {
  if (commit === null) return null;
  return (
    <span className={what.sub}>
      <OutsideText text={commit.title} />
      {commit.author !== "" && (
        <>
          {" by "}
          <OutsideText text={commit.author} />
        </>
      )}
      {commit.committed_at !== null && (
        <>
          {", "}
          <Moment at={commit.committed_at} reachable />
        </>
      )}
    </span>
  );
}

function PullRequest({ approval: { pr, pr_url: url } }: { readonly approval: DeployApproval }): ReactNode {
  if (pr === null) return url === null ? "none known" : <OutsideLink to={url} text={url} />;
  return (
    <>
      <OutsideLink to={url} text={`#${String(pr.number)} ${pr.title}`} />
      <span className={what.sub}>
        {pr.author !== "" && (
          <>
            {"by "}
            <OutsideText text={pr.author} />
            {"; "}
          </>
        )}
        <OutsideText text={pullRequestWords(pr)} />
      </span>
    </>
  );
}

/** What this gate deployed last there, and how far the asked commit is from it. */
function Running({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const { changes, active_release: release, git_commit_hash: commit } = approval;
  const { approval: before, state } = useDeployedBefore(approval);
  return (
    <>
      {before === undefined ? (
        <span>{runningWords(state)}</span>
      ) : (
        <span>
          <OutsideLink to={before.commit_url} text={shortCommit(before.git_commit_hash)} mono />
          {before.deployed_at !== null && (
            <>
              {", "}
              <Moment at={before.deployed_at} reachable />
            </>
          )}
        </span>
      )}
      <span className={what.sub}>
        {release !== null && (
          <>
            release <OutsideText text={release} />
            {"; "}
          </>
        )}
        {changes === null ? (
          before?.git_commit_hash === commit ? (
            "the same commit"
          ) : (
            "no comparison is available"
          )
        ) : (
          <OutsideLink
            to={changes.compare_url}
            text={`${changes.count.toLocaleString("en")} ${changes.count === 1 ? "commit" : "commits"} between`}
          />
        )}
      </span>
    </>
  );
}

function runningWords(state: DeployedBefore["state"]): string {
  if (state === "reading") return "…";
  return state === "unreadable" ? "could not be read" : "nothing deployed through this gate yet";
}

function Asker({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const target = approval.target_api_token_name ?? approval.target_user_email;
  return (
    <>
      <OutsideText text={askedWith(approval)} />
      <span className={what.sub}>
        <Moment at={approval.created_at} reachable />
        {target !== null && (
          <>
            {", for "}
            <OutsideText text={target} />
          </>
        )}
      </span>
    </>
  );
}

function Ending({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const until = openUntil(approval);
  const end = endedAt(approval);
  if (until === null) return end === null ? "–" : <Moment at={end} reachable />;
  const from = approval.status === "approved" ? (approval.approved_at ?? approval.created_at) : approval.created_at;
  return (
    <>
      <TimeLeft until={until} from={from} ended="expired" />
      <span className={what.sub}>
        then it expires
        {approval.extensions > 0 &&
          `; extended ${approval.extensions === 1 ? "once" : `${String(approval.extensions)} times`}`}
      </span>
    </>
  );
}
