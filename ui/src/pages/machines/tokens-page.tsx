import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import { useMachines, useTokens } from "../../api/machines.ts";
import { may, meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { TokenRow } from "./token-row.tsx";
import { TokenSheet } from "./token-sheet.tsx";

export function TokensPage(): ReactNode {
  const me = useQuery(meQuery).data;
  const tokens = useTokens();
  const [making, setMaking] = useState(false);
  const all = me !== undefined && may(me, "org:token:write");
  const machines = useMachines(me !== undefined && may(me, "org:machine:read")).data ?? [];
  const own = (machineId: string): boolean =>
    machines.some(({ id, owners }) => id === machineId && me?.person_id != null && owners.includes(me.person_id));
  const makeFor = machines.filter(({ id, disabled_at: retired }) => retired === null && (all || own(id)));
  return (
    <>
      <PageHead title="Tokens" />
      <div className={listing.sheet}>
        <section className={listing.section} aria-label="Tokens">
          <div className={listing.head}>
            <p className={listing.lead}>What machines present. A token holds scopes, never the right to decide.</p>
            {makeFor.length > 0 && (
              <button
                type="button"
                className={classNames(controls.button, controls.primary)}
                onClick={() => {
                  setMaking(true);
                }}
              >
                Make token
              </button>
            )}
          </div>
          {tokens.isError && <Failed what="The tokens" failure={tokens.error} onRetry={() => void tokens.refetch()} />}
          {tokens.isPending && <Loading label="tokens" />}
          {tokens.data?.length === 0 && (
            <Empty title="No token yet">
              <p>Add a machine first; then a token for it is made here.</p>
            </Empty>
          )}
          <ul className={listing.rows} aria-label="Tokens">
            {tokens.data?.map((token) => (
              <TokenRow key={token.id} token={token} writes={all || own(token.machine_id)} />
            ))}
          </ul>
        </section>
      </div>
      {making && (
        <TokenSheet
          machines={makeFor}
          onClose={() => {
            setMaking(false);
          }}
        />
      )}
    </>
  );
}
