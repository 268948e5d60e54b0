import type { ReactNode } from "react";
import { useState } from "react";

import type { DeployApproval } from "../../api/deploy-approvals.ts";
import type { Me } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import view from "../request/request-view.module.css";
import { useLastMinutes } from "../request/use-last-minutes.ts";
import { changedSince } from "./changed-since.ts";
import { DeployActs } from "./deploy-acts.tsx";
import { DeployApprovers } from "./deploy-approvers.tsx";
import { DeployChecks } from "./deploy-checks.tsx";
import { DeployTimeline } from "./deploy-timeline.tsx";
import { DeployWhat } from "./deploy-what.tsx";
import { deployTitle, openUntil } from "./deploy-words.ts";

interface DeployRequestViewProps {
  readonly me: Me;
  readonly current: DeployApproval;
}

/**
 * R-UI-2: what, why, who asks, where it goes, what was checked and who decides, on one screen. A newer version is shown at
 * once; nothing can be pressed until the reader says that they saw what changed.
 */
export function DeployRequestView({ me, current }: DeployRequestViewProps): ReactNode {
  const [seen, setSeen] = useState(current);
  const changed = changedSince(seen, current);
  useLastMinutes(openUntil(current));
  return (
    <article className={view.view} aria-label={deployTitle(current)}>
      <div className={view.sheet}>
        <div className={view.what}>
          {changed.length > 0 && (
            <ChangedNotice
              changed={changed}
              onSeen={() => {
                setSeen(current);
              }}
            />
          )}
          <DeployWhat approval={current} />
        </div>
        <div className={view.signatures}>
          <DeployApprovers me={me} approval={current} />
        </div>
        <div className={view.evidence}>
          <DeployChecks approval={current} />
        </div>
        <div className={view.timeline}>
          <DeployTimeline approval={current} />
        </div>
      </div>
      <DeployActs approval={current} unseen={changed.length > 0} onActed={setSeen} />
    </article>
  );
}

interface ChangedNoticeProps {
  readonly changed: readonly string[];
  readonly onSeen: () => void;
}

function ChangedNotice({ changed, onSeen }: ChangedNoticeProps): ReactNode {
  return (
    <div className={view.stale} role="alert">
      <div>
        <strong>This request changed while you were reading.</strong> Changed: <OutsideText text={changed.join(", ")} />
        .
      </div>
      <button type="button" className={classNames(controls.button, controls.small)} onClick={onSeen}>
        I have seen it
      </button>
    </div>
  );
}
