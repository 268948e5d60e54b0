import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useEffect } from "react";

import { Refusal } from "../../api/call.ts";
import { useDeployApproval } from "../../api/deploy-approvals.ts";
import { meQuery } from "../../api/session.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { NotFoundPage } from "../not-found-page.tsx";
import { DeployRequestView } from "./deploy-request-view.tsx";
import { deployTitle } from "./deploy-words.ts";

export function DeployRequestPage(): ReactNode {
  const { id } = useParams({ from: "/signed-in/deploy/requests/$id" });
  const me = useQuery(meQuery).data;
  const approval = useDeployApproval(id);
  const { data } = approval;
  useEffect(() => {
    if (data !== undefined) document.title = `${deployTitle(data)} · Countersign`;
  }, [data]);
  if (approval.isError && data === undefined) {
    if (approval.error instanceof Refusal && approval.error.status === 404) return <NotFoundPage />;
    return (
      <Failed
        what="The request"
        failure={approval.error}
        since={approval.errorUpdatedAt}
        onRetry={() => void approval.refetch()}
      />
    );
  }
  return (
    <>
      <PageHead title="Deploy request" back={{ to: "/deploy", word: "Deploy" }} />
      {data === undefined || me === undefined ? (
        <Loading rows={6} label="the request" />
      ) : (
        <DeployRequestView key={id} me={me} current={data} />
      )}
    </>
  );
}
