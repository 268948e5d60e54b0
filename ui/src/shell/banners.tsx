import { BuildingIcon, FlaskConicalIcon, OctagonAlertIcon, UnplugIcon } from "lucide-react";
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { Me } from "../api/session.ts";
import { isShutOut } from "../api/session.ts";
import { useLiveState } from "../live/live-stream.ts";
import { classNames } from "../look/class-names.ts";
import { clockWords } from "../parts/durations.ts";
import { OwnOrganizationButton } from "../parts/own-organization-button.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import styles from "./banners.module.css";

interface BannersProps {
  readonly me: Me;
  /** Why the last question who one is was refused. */
  readonly failure: Error | null;
}

/** What is true of every page: a closed organization, quarantine, a lost stream, development mode. */
export function Banners({ me, failure }: BannersProps): ReactNode {
  const live = useLiveState();
  return (
    <>
      {isShutOut(failure) && (
        <Banner tone={styles.broken} icon={BuildingIcon} role="alert">
          <strong>
            <OutsideText text={me.organization?.name ?? "The organization"} />:
          </strong>{" "}
          <OutsideText text={failure.message} />. What this page shows was read before. <OwnOrganizationButton />
        </Banner>
      )}
      {me.quarantined && (
        <Banner tone={styles.broken} icon={OctagonAlertIcon} role="alert">
          <strong>Quarantine.</strong> The ledger does not verify, so nothing can be decided. Reading and exporting
          still work; run <code>countersign verify</code> to see the finding.
        </Banner>
      )}
      {live.kind === "lost" && (
        <Banner tone={styles.lost} icon={UnplugIcon} role="status">
          Live updates lost at <time>{clockWords(live.since)}</time> – showing data of that moment, read again every 15
          seconds.
        </Banner>
      )}
      {me.mode === "development" && (
        <Banner tone={styles.development} icon={FlaskConicalIcon} role="note">
          Development mode: anybody can sign in as anybody.
        </Banner>
      )}
    </>
  );
}

interface BannerProps {
  readonly tone: string | undefined;
  readonly icon: LucideIcon;
  readonly role: "alert" | "status" | "note";
  readonly children: ReactNode;
}

function Banner({ tone, icon: Icon, role, children }: BannerProps): ReactNode {
  return (
    <div className={classNames(styles.banner, tone)} role={role}>
      <Icon size={16} strokeWidth={1.75} aria-hidden="true" className={styles.icon} />
      <p>{children}</p>
    </div>
  );
}
