import type { ReactNode } from "react";

import type { DeployApproval } from "../../api/deploy-approvals.ts";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import styles from "./deploy-checks.module.css";

/** Whether what the release runs with is still what it was at the approval (R-BIND-12): names of variables, never values. */
export function DeployEnvironment({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const { drift } = approval;
  return (
    <section aria-labelledby="environment-title" className={styles.part}>
      <h2 id="environment-title" className={styles.title}>
        Environment
      </h2>
      {drift === null ? (
        <p className={styles.quiet}>{withoutDrift(approval)}</p>
      ) : (
        <>
          <p className={styles.quiet}>
            Changed since the approval, as found <Moment at={drift.checked_at} reachable />
          </p>
          <dl className={styles.images}>
            <Names word="Added" names={drift.environment.added} />
            <Names word="Removed" names={drift.environment.removed} />
            <Names word="Changed" names={drift.environment.changed} />
            {drift.active_release !== null && drift.active_release.approved !== drift.active_release.found && (
              <div className={styles.image}>
                <dt>Release</dt>
                <dd>
                  <code>{drift.active_release.approved}</code> ran at the approval,{" "}
                  <code>{drift.active_release.found}</code> at the deployment
                </dd>
              </div>
            )}
          </dl>
          {!drift.is_environment_known && <p className={styles.quiet}>The variables could not be compared.</p>}
        </>
      )}
    </section>
  );
}

interface NamesProps {
  readonly word: string;
  readonly names: readonly string[];
}

function Names({ word, names }: NamesProps): ReactNode {
  if (names.length === 0) return null;
  return (
    <div className={styles.image}>
      <dt>{word}</dt>
      <dd>
        <code>
          <OutsideText text={names.join(", ")} />
        </code>
      </dd>
    </div>
  );
}

function withoutDrift({ promote_attempts: promotes }: DeployApproval): string {
  return promotes > 0
    ? "No variable changed between the approval and the deployment."
    : "Compared when it is deployed: the names of variables that change after the approval are shown here.";
}
