import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import type { Page } from "../../api/call.ts";
import type { ApprovalRequest } from "../../api/requests.ts";
import { useRequests } from "../../api/requests.ts";
import type { Me } from "../../api/session.ts";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { RequestRow } from "../requests/request-row.tsx";
import { PageLinks } from "./page-links.tsx";
import type { InboxSearch } from "./inbox-search.ts";
import { isFiltered } from "./inbox-search.ts";
import rows from "./rows.module.css";

interface ListProps {
  readonly search: InboxSearch;
}

export function AskedList({ search, me }: ListProps & { readonly me: Me }): ReactNode {
  const requests = useRequests({ ...filterOf(search), requester: me.assignee });
  return (
    <List search={search} requests={requests} label="Asked by you">
      <Empty title="You have asked for nothing yet">
        <p>Requests made in your name are listed here with who still must sign.</p>
      </Empty>
    </List>
  );
}

export function EveryoneList({ search }: ListProps): ReactNode {
  const requests = useRequests({ ...filterOf(search), status: "in_review" });
  return (
    <List search={search} requests={requests} label="All requests in review">
      <Empty title="No request is in review">
        <p>Ended requests are on the Requests page.</p>
      </Empty>
    </List>
  );
}

function filterOf(search: InboxSearch): Parameters<typeof useRequests>[0] {
  return { artifactType: search.type, policyKey: search.policy, q: search.q, cursor: search.cursor };
}

interface ListFrameProps extends ListProps {
  readonly requests: UseQueryResult<Page<readonly ApprovalRequest[]>>;
  readonly label: string;
  /** Shown when there is nothing at all. */
  readonly children: ReactNode;
}

function List({ search, requests, label, children }: ListFrameProps): ReactNode {
  const items = requests.data?.items;
  return (
    <>
      {requests.isError && (
        <Failed
          what="The list"
          failure={requests.error}
          since={requests.errorUpdatedAt}
          onRetry={() => void requests.refetch()}
        />
      )}
      {requests.isPending && <Loading label="requests" />}
      {items?.length === 0 && (isFiltered(search) ? <Empty title="Nothing matches these filters" /> : children)}
      {items !== undefined && items.length > 0 && (
        <ul className={rows.rows} aria-label={label}>
          {items.map((request) => (
            <RequestRow key={request.id} request={request} inbox={search} />
          ))}
        </ul>
      )}
      <PageLinks next={requests.data?.nextCursor ?? null} search={search} />
    </>
  );
}
