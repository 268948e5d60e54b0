import type { DeployApproval } from "../../api/deploy-approvals.ts";
import { useDeployApprovals } from "../../api/deploy-approvals.ts";

export interface DeployedBefore {
  /** Undefined while it is not known, and where there is none. */
  readonly approval: DeployApproval | undefined;
  readonly state: "reading" | "unreadable" | "known";
}

/** What this gate deployed last of the same app, apart from the request itself: what is compared with. */
export function useDeployedBefore({ app, scope, public_id: id }: DeployApproval): DeployedBefore {
  const last = useDeployApprovals({ app, scope, status: "deployed", limit: 2 });
  return {
    approval: last.data?.deploy_approval_requests.find((each) => each.public_id !== id),
    state: last.isPending ? "reading" : last.isError ? "unreadable" : "known",
  };
}
