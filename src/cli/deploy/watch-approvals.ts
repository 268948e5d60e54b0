/** `deploy-approval wait`: waits until somebody asks for an approval (docs/spec/deploy.md R-CLI-8). */
import { textIn } from "../../client/api-client.ts";
import { approvalText } from "./show-approvals.ts";
import { listApprovals } from "./approval-object.ts";
import { endOnInterrupt } from "./await-outcome.ts";
import { EXIT } from "./cli-outcome.ts";
import { notice, plain, printJson, wantsJson } from "./cli-output.ts";
import { approve, refuseTokens, tellApproved } from "./decide-approval.ts";
import { searchOf, type FindFlags, type Found } from "./find-approval.ts";
import { openGateways } from "./open-gateway.ts";
import { deadlineIn, patientCall, pauseUntil, type Deadline } from "./patient-call.ts";

export interface WatchFlags extends FindFlags {
  readonly approve?: true;
  readonly notes?: string;
  readonly loop?: true;
  /** Milliseconds, both; a timeout of 0 is none. */
  readonly pollInterval: number;
  readonly timeout: number;
}

/** The exit status. */
export async function watchApprovals(flags: WatchFlags): Promise<number> {
  if (flags.approve === true) refuseTokens(flags);
  endOnInterrupt();
  const deadline = deadlineIn(flags.timeout);
  const query = await queryOf(flags);
  const seen = new Set<string>();
  notice(flags, "Waiting for a deploy approval request...");
  for (;;) {
    const fresh = (await pendingOf(flags, query, deadline)).filter(({ approval }) => !seen.has(approval.id));
    for (const found of fresh) {
      seen.add(found.approval.id);
      await report(found, flags);
      if (flags.loop !== true) return EXIT.done;
    }
    await pauseUntil(flags.pollInterval, deadline);
  }
}

/** Whatever is asked for, unless the person says what they wait for. */
async function queryOf(flags: WatchFlags): Promise<Readonly<Record<string, string>>> {
  const isNamed = flags.branch !== undefined || flags.commit !== undefined;
  if (isNamed) return { status: "pending", ...(await searchOf(flags)).query };
  return { status: "pending", ...(flags.app === undefined ? {} : { app: flags.app }) };
}

async function pendingOf(
  flags: WatchFlags,
  query: Readonly<Record<string, string>>,
  deadline: Deadline,
): Promise<readonly Found[]> {
  const gateways = openGateways(flags);
  const found: Found[] = [];
  for (const gateway of gateways) {
    const approvals = await patientCall(() => listApprovals(gateway, query), deadline);
    found.push(...approvals.map((approval) => ({ gateway, approval, isOneOfSeveral: gateways.length > 1 })));
  }
  return found.filter(({ approval }) => approval.status === "pending");
}

async function report(found: Found, flags: WatchFlags): Promise<void> {
  const { id, json } = found.approval;
  if (flags.approve === true) {
    console.error(approvalText(found.approval));
    tellApproved(await approve(found, flags.notes), found, flags);
  } else if (wantsJson(flags)) printJson(json);
  else {
    const message = plain(textIn(json, "message") ?? "").split("\n")[0] ?? "";
    console.log(
      `Deploy approval request ${id} pending${found.isOneOfSeveral ? ` on rack ${found.gateway.rack}` : ""}: ${message}`,
    );
  }
}
