import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useCallback } from "react";

import type { ApprovalRequest } from "../../api/requests.ts";
import { useRequests } from "../../api/requests.ts";
import controls from "../../parts/controls.module.css";
import { distinctOptions, FilterBar } from "../../parts/filter-bar.tsx";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { statusWord } from "../../parts/status-mark.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { useRowKeys } from "../../shell/row-keys.ts";
import rows from "../inbox/rows.module.css";
import { RequestRow } from "./request-row.tsx";
import type { RequestsSearch } from "./requests-search.ts";

const statuses = ["in_review", "pending", "changes_requested", "approved", "rejected", "cancelled", "expired"];

export function RequestsPage(): ReactNode {
  const search = useSearch({ from: "/signed-in/requests" });
  const requests = useRequests({
    status: search.status,
    artifactType: search.type,
    policyKey: search.policy,
    requester: search.requester,
    q: search.q,
    cursor: search.cursor,
  });
  useRowKeys();
  const items = requests.data?.items ?? [];
  return (
    <>
      <PageHead title="Requests" />
      <Filters search={search} items={items} />
      {requests.isError && (
        <Failed
          what="The list"
          failure={requests.error}
          since={requests.errorUpdatedAt}
          onRetry={() => void requests.refetch()}
        />
      )}
      {requests.isPending && <Loading rows={8} label="requests" />}
      {requests.data !== undefined && items.length === 0 && <NoRequests search={search} />}
      {items.length > 0 && (
        <ul className={rows.rows} aria-label="Requests">
          {items.map((request) => (
            <RequestRow key={request.id} request={request} />
          ))}
        </ul>
      )}
      <Pages search={search} next={requests.data?.nextCursor ?? null} />
    </>
  );
}

interface FiltersProps {
  readonly search: RequestsSearch;
  readonly items: readonly ApprovalRequest[];
}

function Filters({ search, items }: FiltersProps): ReactNode {
  const navigate = useNavigate({ from: "/requests" });
  const onChange = useCallback(
    (name: string, value: string | undefined) => {
      void navigate({ search: (before) => ({ ...before, cursor: undefined, [name]: value }), replace: true });
    },
    [navigate],
  );
  const offered = (value: (item: ApprovalRequest) => string | null): ReturnType<typeof distinctOptions> =>
    distinctOptions(items.flatMap((item) => value(item) ?? []));
  return (
    <FilterBar
      fields={[
        { name: "q", label: "Search", value: search.q, kind: "search" },
        {
          name: "status",
          label: "Status",
          value: search.status,
          kind: "choice",
          options: statuses.map((status) => ({ value: status, word: statusWord(status) })),
        },
        {
          name: "type",
          label: "Artifact type",
          value: search.type,
          kind: "text",
          options: offered((item) => item.artifact_type),
        },
        {
          name: "policy",
          label: "Policy",
          value: search.policy,
          kind: "text",
          options: offered((item) => item.policy_key),
        },
        {
          name: "requester",
          label: "Requester",
          value: search.requester,
          kind: "text",
          options: offered((item) => item.requester),
        },
      ]}
      onChange={onChange}
      onClear={() => {
        void navigate({ search: {} });
      }}
    />
  );
}

function NoRequests({ search }: { readonly search: RequestsSearch }): ReactNode {
  const filtered = Object.values(search).some((value) => value !== undefined);
  if (filtered) return <Empty title="Nothing matches these filters" />;
  return (
    <Empty title="No request yet">
      <p>
        A service, a pipeline or a person asks with <code>POST /v1/requests</code>; everything that you may read is
        listed here.
      </p>
    </Empty>
  );
}

function Pages({ search, next }: { readonly search: RequestsSearch; readonly next: string | null }): ReactNode {
  if (next === null && search.cursor === undefined) return null;
  return (
    <nav className={rows.pages} aria-label="Pages of the list">
      {search.cursor !== undefined && (
        <Link to="/requests" search={{ ...search, cursor: undefined }} className={controls.button}>
          Newest
        </Link>
      )}
      {next !== null && (
        <Link to="/requests" search={{ ...search, cursor: next }} className={controls.button}>
          Older
        </Link>
      )}
    </nav>
  );
}
