/** What `rack-gateway deploy-approval` and `countersign deploy` take: the same verbs under two names (docs/spec/deploy.md R-CLI-12). */
import type { Command } from "commander";
import {
  cancelCommand,
  approveCommand,
  extendCommand,
  rejectCommand,
  type ApproveFlags,
  type NotesFlags,
} from "./decide-approval.ts";
import { exitStatusOf } from "./cli-outcome.ts";
import { durationFrom } from "./duration.ts";
import type { FindFlags } from "./find-approval.ts";
import { flagsOf, withApp, withGatewayFlags, withOutput } from "./gateway-flags.ts";
import { requestApproval, type RequestFlags } from "./request-approval.ts";
import { listCommand, showCommand, type ListFlags } from "./show-approvals.ts";
import { verifyCommand, type VerifyFlags } from "./verify-approval.ts";
import { watchApprovals, type WatchFlags } from "./watch-approvals.ts";

export function addApprovalCommands(group: Command): void {
  addRequest(group);
  addReaders(group);
  addDecisions(group);
  addVerify(group);
}

function leaf(group: Command, name: string, description: string): Command {
  return withOutput(withGatewayFlags(group.command(name).description(description)));
}

function addRequest(group: Command): void {
  withApp(leaf(group, "request", "ask for an approval to deploy a commit"))
    .requiredOption("--git-commit <commit>", "what is to be deployed")
    .requiredOption("--message <text>", "what the approver should know")
    .option("--branch <branch>", "the commit's branch")
    .option("--ci-metadata <json>", "what identifies the CI run; $CIRCLE_…, $GITHUB_… and the like are filled in")
    .option("--target-api-token-id <token>", "the token that will deploy, unless it is the calling one")
    .option("--image <service=reference>", "image that will run, with its digest; may be repeated", collected)
    .option("--wait", "wait until it is decided")
    .option("--poll-interval <span>", "how often to ask where the server cannot be waited on", durationFrom, 5_000)
    .option("--timeout <span>", "how long to wait; 0 for ever", durationFrom, 1_200_000)
    .action(async (flags: RequestFlags, command: Command) => {
      process.exitCode = await exitStatusOf(() => requestApproval(flagsOf(command, flags)));
    });
}

function addReaders(group: Command): void {
  withApp(leaf(group, "list", "list requests, the newest first"))
    .option("-s, --status <status>", "only these, several with commas")
    .option("--open", "only those that are pending or approved and not over")
    .option("-l, --limit <number>", "how many", "50")
    .action(async (flags: ListFlags, command: Command) => {
      process.exitCode = await exitStatusOf(() => listCommand(flagsOf(command, flags)));
    });
  withSearch(
    withApp(leaf(group, "show", "show a request; without an id, that of the commit checked out").argument("[id]")),
  ).action(async (id: string | undefined, flags: FindFlags, command: Command) => {
    process.exitCode = await exitStatusOf(() => showCommand(id, flagsOf(command, flags)));
  });
  withSearch(withApp(leaf(group, "wait", "wait until somebody asks for an approval")))
    .option("--poll-interval <span>", "how often to look", durationFrom, 1_000)
    .option("--timeout <span>", "how long to wait; 0 for ever", durationFrom, 0)
    .option("--approve", "approve what comes")
    .option("--notes <text>", "with --approve: what to say to it")
    .option("--loop", "go on, and report every new one")
    .action(async (flags: WatchFlags, command: Command) => {
      process.exitCode = await exitStatusOf(() => watchApprovals(flagsOf(command, flags)));
    });
}

function addDecisions(group: Command): void {
  withSearch(
    withApp(
      leaf(group, "approve", "approve a request; without an id, that of the commit checked out").argument("[id]"),
    ),
  )
    .option("--notes <text>", "what to say to it")
    .option("-y, --yes", "without asking whether this is the one")
    .action(async (id: string | undefined, flags: ApproveFlags, command: Command) => {
      process.exitCode = await exitStatusOf(() => approveCommand(id, flagsOf(command, flags)));
    });
  const verbs = [
    ["reject", "reject a request, or take its approval back", rejectCommand],
    ["extend", "give an approval more time", extendCommand],
    ["cancel", "take a request back", cancelCommand],
  ] as const;
  for (const [name, description, work] of verbs) {
    leaf(group, name, description)
      .argument("<id>")
      .option("--notes <text>", "why")
      .action(async (id: string, flags: NotesFlags, command: Command) => {
        process.exitCode = await exitStatusOf(() => work(id, flagsOf(command, flags)));
      });
  }
}

function addVerify(group: Command): void {
  withSearch(
    withApp(
      leaf(group, "verify", "check the evidence of a request here, without believing the server").argument("[id]"),
    ),
  )
    .option("--trust <file>", "the logs and witnesses that are believed (a tlog-policy file)")
    .option("--keys <file>", "keys that are known to be somebody's (lines person <id> <key>, attestation <key>)")
    .option("--expect-digest <digest>", "the payload that must have been approved")
    .option("--at <time>", "the time at which the approval must have been in force")
    .option("--save <file>", "keep the evidence there")
    .action(async (id: string | undefined, flags: VerifyFlags, command: Command) => {
      process.exitCode = await exitStatusOf(() => verifyCommand(id, flagsOf(command, flags)));
    });
}

function withSearch(command: Command): Command {
  return command
    .option("--branch <branch>", "the newest request of this branch")
    .option("--commit <commit>", "the newest request of this commit");
}

function collected(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
