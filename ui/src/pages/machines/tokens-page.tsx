import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { useMachines, useTokens } from "../../api/machines.ts";
import { may, meQuery } from "../../api/session.ts";
import { AdministeredList } from "../../parts/administered-list.tsx";
import type { FilterField } from "../../parts/filter-bar.tsx";
import { FilterBar } from "../../parts/filter-bar.tsx";
import listing from "../../parts/listing.module.css";
import { Empty } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { TokenRow } from "./token-row.tsx";
import { TokenSheet } from "./token-sheet.tsx";
import { parseTokensSearch } from "./tokens-search.ts";

/** What nobody is reminded of, because it never ends (identity R-TOK-3). */
const ENDS = {
  ...{ name: "expires", label: "End", kind: "choice" },
  options: [{ value: "never", word: "never" }],
} as const satisfies Omit<FilterField, "value">;

export function TokensPage(): ReactNode {
  const me = useQuery(meQuery).data;
  const search = useSearch({ from: "/signed-in/tokens" });
  const navigate = useNavigate({ from: "/tokens" });
  const tokens = useTokens(search);
  const all = me !== undefined && may(me, "org:token:write");
  const machines = useMachines(me !== undefined && may(me, "org:machine:read")).data ?? [];
  const own = (machineId: string): boolean =>
    machines.some(({ id, owners }) => id === machineId && me?.person_id != null && owners.includes(me.person_id));
  const makeFor = machines.filter(({ id, disabled_at: retired }) => retired === null && (all || own(id)));
  return (
    <>
      <PageHead title="Tokens" />
      <div className={listing.bar}>
        <FilterBar
          fields={[{ ...ENDS, value: search.expires }]}
          onChange={(_name, value) => {
            void navigate({ search: parseTokensSearch({ expires: value }), replace: true });
          }}
          onClear={() => {
            void navigate({ search: {} });
          }}
        />
      </div>
      <div className={listing.sheet}>
        <AdministeredList
          title="Tokens"
          lead="What machines present. A token holds scopes, never the right to decide."
          list={tokens}
          add={
            makeFor.length === 0
              ? null
              : { word: "Make token", sheet: (close) => <TokenSheet machines={makeFor} onClose={close} /> }
          }
          none={
            search.expires === "never" ? (
              <Empty title="No token without an end">
                <p>Every token ends by itself.</p>
              </Empty>
            ) : (
              <Empty title="No token yet">
                <p>Add a machine first; then a token for it is made here.</p>
              </Empty>
            )
          }
          row={(token) => <TokenRow key={token.id} token={token} writes={all || own(token.machine_id)} />}
        />
      </div>
    </>
  );
}
