import type { DeployApproval } from "../../api/deploy-approvals.ts";

export interface Forecast {
  readonly passes: boolean;
  readonly sentences: readonly string[];
}

const looks: Readonly<Record<string, string>> = {
  pending: "A request waits for its approval.",
  rejected: "The request was rejected: ask anew.",
  expired: "The approval or the request has expired: ask anew.",
  cancelled: "The request was cancelled: ask anew.",
  superseded: "A newer commit of the branch took its place.",
  deployed: "It has been deployed already: deploying it again needs a new request.",
};

/**
 * Why would a deploy of this commit be refused now? Told from its requests, as the reader may see them; what only the
 * uploaded archive or the rack can show is not among it.
 */
export function forecast(requests: readonly DeployApproval[], approvalsEnabled: boolean): Forecast {
  if (!approvalsEnabled) return { passes: true, sentences: ["Deploy approvals are switched off on this rack."] };
  const approved = requests.find(({ status }) => status === "approved");
  if (approved !== undefined) {
    const attempts = approved.builds.some(({ status }) => status === "failed");
    return {
      passes: true,
      sentences: [
        `It is approved for ${approved.target_api_token_name ?? approved.target_user_email ?? "its token"} and for nobody else.`,
        ...(attempts ? ["A build under this approval failed; another attempt may be made."] : []),
        ...approved.warnings.map(({ message }) => message),
      ],
    };
  }
  const [newest] = requests;
  if (newest === undefined) return { passes: false, sentences: ["Nobody has asked for an approval of this commit."] };
  return { passes: false, sentences: [looks[newest.status] ?? newest.status] };
}
