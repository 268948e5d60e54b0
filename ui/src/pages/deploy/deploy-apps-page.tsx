import { Link, useNavigate } from "@tanstack/react-router";
import { BoxIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import type { DeployApproval } from "../../api/deploy-approvals.ts";
import { useDeployApprovals } from "../../api/deploy-approvals.ts";
import type { DeployRack } from "../../api/deploy-racks.ts";
import { useDeployInfo } from "../../api/deploy-racks.ts";
import { classNames } from "../../look/class-names.ts";
import { Choice } from "../../parts/choice.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { StatusMark } from "../../parts/status-mark.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { useRowKeys } from "../../shell/row-keys.ts";
import { DeployNav } from "./deploy-nav.tsx";
import { deployMark, shortCommit } from "./deploy-words.ts";
import styles from "./settings.module.css";

/** Apps for which anything was asked lately, with the newest request of each; any other is opened by its name. */
export function DeployAppsPage(): ReactNode {
  const racks = useDeployInfo().data?.racks ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const rack = chosen ?? racks[0]?.name ?? "";
  const recent = useDeployApprovals({ limit: 200, scope: rack });
  useRowKeys();
  const newest = newestOfEach(recent.data?.deploy_approval_requests ?? []);
  return (
    <>
      <PageHead title="Apps" />
      <DeployNav />
      <div className={listing.sheet}>
        <OpenApp racks={racks} rack={rack} onRack={setChosen} />
        <section className={listing.section} aria-labelledby="apps-title">
          <div className={listing.head}>
            <h2 id="apps-title" className={listing.title}>
              Apps with requests
            </h2>
          </div>
          {recent.isError && <Failed what="The apps" failure={recent.error} onRetry={() => void recent.refetch()} />}
          {recent.isPending && <Loading rows={3} label="apps" />}
          {recent.data !== undefined && newest.length === 0 && (
            <p className={listing.none}>None yet. An app appears here once a deploy of it is asked for.</p>
          )}
          <ul className={listing.rows} aria-label="Apps">
            {newest.map((approval) => (
              <AppRow key={`${approval.scope}/${approval.app}`} approval={approval} />
            ))}
          </ul>
        </section>
      </div>
    </>
  );
}

function newestOfEach(approvals: readonly DeployApproval[]): readonly DeployApproval[] {
  const seen = new Map<string, DeployApproval>();
  for (const approval of approvals) {
    const name = `${approval.scope}/${approval.app}`;
    if (!seen.has(name)) seen.set(name, approval);
  }
  return [...seen].toSorted(([one], [other]) => one.localeCompare(other)).map(([, approval]) => approval);
}

function AppRow({ approval }: { readonly approval: DeployApproval }): ReactNode {
  return (
    <li>
      <Link
        to="/deploy/apps/$rack/$app"
        params={{ rack: approval.scope, app: approval.app }}
        data-row=""
        className={classNames(listing.row, listing.wide)}
      >
        <BoxIcon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
        <div className={listing.what}>
          <p className={listing.name}>
            <OutsideText text={approval.app} />
            <span className={listing.badge}>
              <OutsideText text={approval.scope} />
            </span>
          </p>
          <p className={listing.about}>
            <span>
              newest request <code>{shortCommit(approval.git_commit_hash)}</code>
            </span>
            <Moment at={approval.created_at} />
          </p>
        </div>
        <StatusMark status={deployMark(approval.status)} />
      </Link>
    </li>
  );
}

interface OpenAppProps {
  readonly racks: readonly DeployRack[];
  readonly rack: string;
  readonly onRack: (rack: string | null) => void;
}

function OpenApp({ racks, rack, onRack }: OpenAppProps): ReactNode {
  const navigate = useNavigate();
  const [app, setApp] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  return (
    <form
      className={styles.tools}
      noValidate
      aria-label="Open an app"
      onSubmit={(event) => {
        event.preventDefault();
        const name = app.trim();
        const fits = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name) && rack !== "";
        setFault(fits ? null : "An app’s name has lower-case letters, digits and hyphens.");
        if (fits) void navigate({ to: "/deploy/apps/$rack/$app", params: { rack, app: name } });
      }}
    >
      <div className={styles.line}>
        <Choice
          label="Rack"
          value={rack}
          options={racks.map(({ name, display_name: shown }) => ({ value: name, word: shown === "" ? name : shown }))}
          onChange={onRack}
        />
        <TextField label="App" autoComplete="off" value={app} fault={fault} onChange={setApp} />
        <button type="submit" className={controls.button}>
          Open its settings
        </button>
      </div>
    </form>
  );
}
