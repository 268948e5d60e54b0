import type { UseQueryResult } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useCallback } from "react";

import type { DeployApprovals } from "../../api/deploy-approvals.ts";
import { useDeployApprovals } from "../../api/deploy-approvals.ts";
import { useDeployInfo } from "../../api/deploy-racks.ts";
import controls from "../../parts/controls.module.css";
import { distinctOptions, FilterBar } from "../../parts/filter-bar.tsx";
import listing from "../../parts/listing.module.css";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { statusWord } from "../../parts/status-mark.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { useRowKeys } from "../../shell/row-keys.ts";
import rows from "../inbox/rows.module.css";
import { CsvButton } from "./csv-button.tsx";
import { DeployNav } from "./deploy-nav.tsx";
import { DeployRow } from "./deploy-row.tsx";
import type { DeploySearch } from "./deploy-search.ts";
import { deployMark, deployStatuses } from "./deploy-words.ts";
import styles from "./deploy-queue-page.module.css";

const ended = "deployed,rejected,expired,cancelled,superseded";
const openMost = 200;

/** R-UI-4: what is open comes first; behind it what has ended, page by page. A chosen status is one list. */
export function DeployQueuePage(): ReactNode {
  const search = useSearch({ from: "/signed-in/deploy" });
  useRowKeys();
  const { cursor, status, ...filter } = search;
  const showsOpen = status === undefined && cursor === undefined;
  const open = useDeployApprovals({ ...filter, open: true, limit: openMost }, showsOpen);
  const rest = useDeployApprovals({ ...filter, status: status ?? ended, cursor });
  const title = status === undefined ? "Ended" : statusWord(deployMark(status));
  return (
    <>
      <PageHead title="Deploy" />
      <DeployNav />
      <div className={listing.bar}>
        <Filters search={search} listed={[open.data, rest.data]} />
        <CsvButton filter={{ ...filter, status }} />
      </div>
      <ListFailed list={rest} />
      {rest.isPending && <Loading rows={8} label="deploy requests" />}
      {showsOpen && <Part title="Open" list={open} />}
      <Part title={title} list={rest} />
      {countOf(rest) === 0 && (!showsOpen || countOf(open) === 0) && <NoRequests search={search} />}
      <Pages search={search} next={rest.data?.next_cursor ?? null} />
    </>
  );
}

type ListQuery = UseQueryResult<DeployApprovals>;

/** Null until it is known. */
function countOf(list: ListQuery): number | null {
  return list.data?.deploy_approval_requests.length ?? null;
}

function ListFailed({ list }: { readonly list: ListQuery }): ReactNode {
  if (!list.isError) return null;
  return (
    <Failed what="The list" failure={list.error} since={list.errorUpdatedAt} onRetry={() => void list.refetch()} />
  );
}

interface PartProps {
  readonly title: string;
  readonly list: ListQuery;
}

function Part({ title, list }: PartProps): ReactNode {
  if ((countOf(list) ?? 0) === 0) return null;
  return (
    <section aria-label={title}>
      <h2 className={styles.part}>{title}</h2>
      <ul className={rows.rows} aria-label={`${title} deploy requests`}>
        {list.data?.deploy_approval_requests.map((approval) => (
          <DeployRow key={approval.public_id} approval={approval} />
        ))}
      </ul>
    </section>
  );
}

interface FiltersProps {
  readonly search: DeploySearch;
  readonly listed: readonly (DeployApprovals | undefined)[];
}

function Filters({ search, listed }: FiltersProps): ReactNode {
  const navigate = useNavigate({ from: "/deploy" });
  const info = useDeployInfo().data;
  const racks = info?.racks ?? [];
  const onChange = useCallback(
    (name: string, value: string | undefined) => {
      void navigate({ search: (before) => ({ ...before, cursor: undefined, [name]: value }), replace: true });
    },
    [navigate],
  );
  const items = listed.flatMap((page) => page?.deploy_approval_requests ?? []);
  return (
    <FilterBar
      fields={[
        { name: "q", label: "Message or person", value: search.q, kind: "search" },
        {
          name: "status",
          label: "Status",
          value: search.status,
          kind: "choice",
          options: deployStatuses.map((status) => ({ value: status, word: statusWord(deployMark(status)) })),
        },
        // Without a choice the server lists the default rack.
        ...(racks.length < 2
          ? []
          : [
              {
                name: "scope",
                label: "Rack",
                value: search.scope,
                kind: "choice" as const,
                any: info?.rack.name ?? "",
                options: racks
                  .filter(({ name }) => name !== info?.rack.name)
                  .map(({ name }) => ({ value: name, word: name })),
              },
            ]),
        {
          name: "app",
          label: "App",
          value: search.app,
          kind: "text",
          options: distinctOptions(items.map(({ app }) => app)),
        },
        {
          name: "branch",
          label: "Branch",
          value: search.branch,
          kind: "text",
          options: distinctOptions(items.flatMap(({ git_branch: branch }) => branch ?? [])),
        },
        { name: "commit", label: "Commit", value: search.commit, kind: "text" },
        { name: "since", label: "From", value: search.since, kind: "day" },
        { name: "until", label: "To", value: search.until, kind: "day" },
      ]}
      onChange={onChange}
      onClear={() => {
        void navigate({ search: {} });
      }}
    />
  );
}

function NoRequests({ search }: { readonly search: DeploySearch }): ReactNode {
  const filtered = Object.values(search).some((value) => value !== undefined);
  if (filtered) return <Empty title="Nothing matches these filters" />;
  return (
    <Empty title="No deploy has been asked for yet">
      <p>A pipeline asks with its token; every request that you may read is listed here:</p>
      <p>
        <code>rack-gateway deploy-approval request --git-commit HEAD --message “…” --wait</code>
      </p>
    </Empty>
  );
}

function Pages({ search, next }: { readonly search: DeploySearch; readonly next: string | null }): ReactNode {
  if (next === null && search.cursor === undefined) return null;
  return (
    <nav className={rows.pages} aria-label="Pages of the list">
      {search.cursor !== undefined && (
        <Link to="/deploy" search={{ ...search, cursor: undefined }} className={controls.button}>
          Newest
        </Link>
      )}
      {next !== null && (
        <Link to="/deploy" search={{ ...search, cursor: next }} className={controls.button}>
          Older
        </Link>
      )}
    </nav>
  );
}
