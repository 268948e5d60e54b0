import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useCallback } from "react";

import type { Policy } from "../../api/policies.ts";
import { usePolicies } from "../../api/policies.ts";
import { may, meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { FilterBar } from "../../parts/filter-bar.tsx";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { StatusMark, statusWord } from "../../parts/status-mark.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { useRowKeys } from "../../shell/row-keys.ts";
import styles from "./policies-page.module.css";
import { stagesLine } from "./policy-words.ts";

export function PoliciesPage(): ReactNode {
  const search = useSearch({ from: "/signed-in/policies" });
  const navigate = useNavigate({ from: "/policies" });
  const me = useQuery(meQuery).data;
  const policies = usePolicies(search);
  useRowKeys();
  const onChange = useCallback(
    (name: string, value: string | undefined) => {
      void navigate({ search: (before) => ({ ...before, [name]: value }), replace: true });
    },
    [navigate],
  );
  const filtered = search.q !== undefined || search.status !== undefined;
  const admin = me !== undefined && may(me, "approval:policy:write");
  return (
    <>
      <PageHead title="Policies" />
      <div className={styles.bar}>
        <FilterBar
          fields={[
            { name: "q", label: "Search", value: search.q, kind: "search" },
            {
              name: "status",
              label: "Status",
              value: search.status,
              kind: "choice",
              options: ["draft", "active", "archived"].map((status) => ({ value: status, word: statusWord(status) })),
            },
          ]}
          onChange={onChange}
          onClear={() => {
            void navigate({ search: {} });
          }}
        />
        {admin && (
          <Link to="/new-policy" className={classNames(controls.button, controls.primary)}>
            New policy
          </Link>
        )}
      </div>
      {policies.isError && (
        <Failed
          what="The policies"
          failure={policies.error}
          since={policies.errorUpdatedAt}
          onRetry={() => void policies.refetch()}
        />
      )}
      {policies.isPending && <Loading label="policies" />}
      {policies.data?.length === 0 &&
        (filtered ? (
          <Empty title="Nothing matches these filters" />
        ) : (
          <Empty title="No policy yet">
            <p>A policy says who must sign what. Without an active one, every request is refused.</p>
          </Empty>
        ))}
      {policies.data !== undefined && policies.data.length > 0 && (
        <ul aria-label="Policies">
          {policies.data.map((policy) => (
            <PolicyRow key={policy.policy_key} policy={policy} />
          ))}
        </ul>
      )}
    </>
  );
}

function PolicyRow({ policy }: { readonly policy: Policy }): ReactNode {
  return (
    <li>
      <Link to="/policies/$key" params={{ key: policy.policy_key }} data-row="" className={styles.row}>
        <span className={styles.what}>
          <span className={styles.name}>
            <OutsideText text={policy.name} />
          </span>
          <span className={styles.key}>
            <OutsideText text={policy.policy_key} />
          </span>
        </span>
        <span className={styles.stages}>
          <OutsideText text={stagesLine(policy)} />
        </span>
        <span className={styles.version}>
          <StatusMark status={policy.status} />
          <span className={styles.quiet}>
            v{policy.version} · <Moment at={policy.updated_at ?? policy.created_at} />
          </span>
        </span>
      </Link>
    </li>
  );
}
