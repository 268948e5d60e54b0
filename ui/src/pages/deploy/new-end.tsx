import type { ReactNode } from "react";

import type { DeployApproval } from "../../api/deploy-approvals.ts";
import { useDeploySettings } from "../../api/deploy-settings.ts";
import { serverNow } from "../../api/server-clock.ts";
import { absoluteWords } from "../../parts/durations.ts";
import what from "../request/what.module.css";
import { extendedUntil } from "./extended-until.ts";
import styles from "./deploy-what.module.css";

const window = "deploy_approval_window_minutes";

/** R-UI-2: extending says the new end before it is done. Whoever may not read the settings reads what happens instead. */
export function NewEnd({ approval }: { readonly approval: DeployApproval }): ReactNode {
  const own = useDeploySettings({ rack: approval.scope, app: approval.app }).data;
  const rack = useDeploySettings({ rack: approval.scope, app: null }).data;
  const next = extendedUntil({
    now: serverNow(),
    approvedAt: approval.approved_at,
    windowMinutes: own?.[window]?.value ?? rack?.[window]?.value,
    longestMinutes: rack?.["deploy_approval_max_window_minutes"]?.value,
  });
  return (
    <dl className={styles.ends}>
      {approval.approval_expires_at !== null && (
        <div className={styles.fact}>
          <dt>Ends now</dt>
          <dd>{absoluteWords(Date.parse(approval.approval_expires_at))}</dd>
        </div>
      )}
      <div className={styles.fact}>
        <dt>New end</dt>
        <dd>
          {next === null ? "one more window from now on" : <strong>{absoluteWords(next.at)}</strong>}
          {next?.isLatest === true && <span className={what.sub}>the latest that is possible</span>}
        </dd>
      </div>
    </dl>
  );
}
