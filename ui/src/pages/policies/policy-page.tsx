import { Navigate, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Refusal } from "../../api/call.ts";
import { useVersions } from "../../api/policies.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { NotFoundPage } from "../not-found-page.tsx";

/** A policy without a version named: the active one, else the newest. */
export function PolicyPage(): ReactNode {
  const { key } = useParams({ from: "/signed-in/policies/$key" });
  const versions = useVersions(key);
  const chosen = versions.data?.find((version) => version.status === "active") ?? versions.data?.[0];
  if (versions.isError) {
    if (versions.error instanceof Refusal && versions.error.status === 404) return <NotFoundPage />;
    return <Failed what="The policy" failure={versions.error} onRetry={() => void versions.refetch()} />;
  }
  if (chosen !== undefined) {
    return <Navigate to="/policies/$key/$version" params={{ key, version: String(chosen.version) }} replace />;
  }
  return (
    <>
      <PageHead title={key} back={{ to: "/policies", word: "Policies" }} />
      <Loading label="the policy" />
    </>
  );
}
