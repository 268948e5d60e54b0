import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { DeployApproval, DeployEffect } from "../../api/deploy-approvals.ts";
import { useDeployApprovals } from "../../api/deploy-approvals.ts";
import { useDeployInfo } from "../../api/deploy-racks.ts";
import { may, meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { CredentialRow } from "./credential-row.tsx";
import { DeployNav } from "./deploy-nav.tsx";
import { deployTitle, effectState, effectWord, isStuck } from "./deploy-words.ts";
import { SlackRow } from "./slack-row.tsx";

const callsShown = 20;

/** R-UI-8: what is connected, whether its credential works, and the last calls with what came of them. */
export function IntegrationsPage(): ReactNode {
  const me = useQuery(meQuery).data;
  const manages = me !== undefined && may(me, "gateway:integration:manage");
  const info = useDeployInfo();
  const recent = useDeployApprovals({ limit: 50 });
  const calls = lastCalls(recent.data?.deploy_approval_requests ?? []);
  return (
    <>
      <PageHead title="Integrations" />
      <DeployNav />
      <div className={listing.sheet}>
        <section className={listing.section} aria-labelledby="connected-title">
          <div className={listing.head}>
            <h2 id="connected-title" className={listing.title}>
              Connected systems
            </h2>
          </div>
          {info.isError && <Failed what="The integrations" failure={info.error} onRetry={() => void info.refetch()} />}
          {info.isPending && <Loading rows={3} label="integrations" />}
          {info.data !== undefined && (
            <ul className={listing.rows} aria-label="Integrations">
              <CredentialRow provider="github" has={info.data.integrations["github"] === true} manages={manages} />
              <CredentialRow provider="circleci" has={info.data.integrations["circleci"] === true} manages={manages} />
              <SlackRow isSetUp={info.data.integrations["slack"] === true} manages={manages} />
            </ul>
          )}
        </section>
        <section className={listing.section} aria-labelledby="calls-title">
          <div className={listing.head}>
            <h2 id="calls-title" className={listing.title}>
              Last calls
            </h2>
          </div>
          {recent.isError && <Failed what="The last calls" failure={recent.error} />}
          {recent.data !== undefined && calls.length === 0 && (
            <p className={listing.none}>None. What is told to other systems about a request is listed here.</p>
          )}
          <ul className={listing.rows} aria-label="Last calls">
            {calls.map(({ approval, effect, position }) => (
              <CallRow key={`${approval.public_id}-${String(position)}`} approval={approval} effect={effect} />
            ))}
          </ul>
        </section>
      </div>
    </>
  );
}

interface OutsideCall {
  readonly approval: DeployApproval;
  readonly effect: DeployEffect;
  readonly position: number;
}

/** Of the newest requests; what failed comes first, and what was not needed is left out. */
function lastCalls(approvals: readonly DeployApproval[]): readonly OutsideCall[] {
  const all = approvals.flatMap((approval) =>
    approval.effects.map((effect, position) => ({ approval, effect, position })),
  );
  return all
    .filter(({ effect }) => effect.state !== "withdrawn")
    .toSorted((one, other) => Number(isStuck(other.effect.state)) - Number(isStuck(one.effect.state)))
    .slice(0, callsShown);
}

function CallRow({ approval, effect }: Omit<OutsideCall, "position">): ReactNode {
  return (
    <li className={listing.row}>
      <div className={listing.what}>
        <p className={listing.name}>
          {effectWord(effect.kind)}
          <span className={classNames(listing.badge, isStuck(effect.state) && listing.bad)}>
            {effectState(effect.state)}
          </span>
        </p>
        <p className={listing.about}>
          <Link to="/deploy/requests/$id" params={{ id: approval.public_id }}>
            <OutsideText text={deployTitle(approval)} />
          </Link>
          {effect.last_error !== null && (
            <span>
              <OutsideText text={effect.last_error} />
            </span>
          )}
        </p>
      </div>
    </li>
  );
}
