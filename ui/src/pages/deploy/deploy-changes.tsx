import type { ReactNode } from "react";

import type { DeployApproval } from "../../api/deploy-approvals.ts";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import styles from "./deploy-checks.module.css";
import { shortCommit } from "./deploy-words.ts";
import type { DeployedBefore } from "./deployed-before.ts";
import { useDeployedBefore } from "./deployed-before.ts";
import { OutsideLink } from "./outside-link.tsx";

/** More are at the repository, behind the link. */
const commitsShown = 20;

/** The commits that come with this one since the last deployment; where nobody can tell, the sentence why (R-EVD-1). */
export function DeployChanges({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const before = useDeployedBefore(approval);
  const { changes } = approval;
  const commits = changes?.commits ?? [];
  const newest = commits.toReversed().slice(0, commitsShown);
  return (
    <section aria-labelledby="changes-title" className={styles.part}>
      <h2 id="changes-title" className={styles.title}>
        Commits
      </h2>
      {changes === null ? (
        <p className={styles.quiet}>{whyNotCompared(approval, before)}</p>
      ) : (
        <p className={styles.base}>
          {changes.count.toLocaleString("en")} {changes.count === 1 ? "commit" : "commits"} since{" "}
          <code>{before.approval === undefined ? "the last one" : shortCommit(before.approval.git_commit_hash)}</code>.{" "}
          <OutsideLink to={changes.compare_url} text="Compare, with the files that change" />
        </p>
      )}
      {newest.length > 0 && (
        <ol className={styles.commits} aria-label="Commits since the last deployment">
          {newest.map((commit) => (
            <li key={commit.sha}>
              <OutsideLink to={commit.url} text={shortCommit(commit.sha)} mono />
              <span>
                <OutsideText text={commit.title} />
                <span className={styles.by}>
                  <OutsideText text={commit.author} />
                  {commit.committed_at !== null && (
                    <>
                      {commit.author === "" ? "" : ", "}
                      <Moment at={commit.committed_at} reachable />
                    </>
                  )}
                </span>
              </span>
            </li>
          ))}
        </ol>
      )}
      {changes !== null && newest.length > 0 && changes.count > newest.length && (
        <p className={styles.quiet}>
          and {(changes.count - newest.length).toLocaleString("en")} older {olderWord(changes.count - newest.length)}
        </p>
      )}
    </section>
  );
}

function olderWord(count: number): string {
  return count === 1 ? "one" : "ones";
}

function whyNotCompared(approval: DeployApproval, { approval: before, state }: DeployedBefore): string {
  const { git_commit_hash: commit, commit_url: address, vcs_read_at: readAt } = approval;
  if (state === "reading") return "…";
  if (state === "unreadable") return "What was deployed last could not be read, so nothing is compared.";
  if (before === undefined) return "Nothing was deployed through this gate yet: there is nothing to compare with.";
  if (before.git_commit_hash === commit) return "None: this commit is the one that was deployed last.";
  if (address === null) return "No repository is set for this app, so no difference can be shown.";
  if (readAt === null) return "Version control has not answered yet; what changes will be shown when it has.";
  return "Version control could not compare this commit with the deployed one.";
}
