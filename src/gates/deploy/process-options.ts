/**
 * Which process may be started, and which command run in it, under an approval? Implements docs/spec/deploy.md R-ALLOW-1 to
 * R-ALLOW-4 and R-ALLOW-6. An empty list approves nothing.
 */
import { permits, type Permission } from "../../core/permission.ts";
import {
  commandBlankOrOther,
  commandNotApproved,
  environmentNotAllowed,
  processNotApproved,
  processOption,
} from "./call-refusals.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";
import { headerOfText, textOfHeader } from "./header-text.ts";
import type { HeaderPair, OptionHeader } from "./rack-headers.ts";

export type ProcessOptions = ReadonlyMap<OptionHeader, string>;

export interface ProcessRules {
  /** The release of the approved build; null while there is none. */
  readonly releaseId: string | null;
  /** The setting `approved_deploy_commands`. */
  readonly approvedCommands: readonly string[];
  /** Starts and execs so far. */
  readonly commandCount: number;
}

export interface ApprovedProcess {
  /** The approved text itself, which is also what the rack gets. */
  readonly command: string;
  readonly options: readonly HeaderPair[];
}

/** Starts and execs of one approval together. */
export const commandsMax = 50;

export function checkProcessStart(options: ProcessOptions, rules: ProcessRules): ApprovedProcess | DeployRefusal {
  const { releaseId } = rules;
  if (releaseId === null) return processNotApproved("The approved build has no release yet.");
  const release = options.get("Release");
  if (release === undefined) return processNotApproved(`Name the approved release: --release ${releaseId}`);
  if (release !== releaseId)
    return processNotApproved(`Release ${release} is not the approved one, which is ${releaseId}.`);
  const refusal = optionRefusal(options, START_OPTIONS) ?? tooMany(rules);
  if (refusal !== null) return refusal;
  const command = commandOf(options);
  const approved = SLEEP.test(command) ? command : approvedCommand(command, rules);
  if (approved === null) return commandNotApproved(command === "" ? "(none)" : command, rules.approvedCommands);
  return { command: approved, options: forwarded(options, approved) };
}

export function checkProcessExec(options: ProcessOptions, rules: ProcessRules): ApprovedProcess | DeployRefusal {
  const refusal = optionRefusal(options, EXEC_OPTIONS) ?? tooMany(rules);
  if (refusal !== null) return refusal;
  const approved = approvedCommand(commandOf(options), rules);
  if (approved === null) return commandBlankOrOther(rules.approvedCommands);
  return { command: approved, options: forwarded(options, approved) };
}

export function isApprovedProcess(value: ApprovedProcess | DeployRefusal): value is ApprovedProcess {
  return "command" in value;
}

/** For callers who start processes by their own permission (deploy R-ALLOW-6): refused, never dropped silently. */
export function checkDirectStart(options: ProcessOptions, held: readonly Permission[]): DeployRefusal | null {
  return options.has("Environment") && !permits(held, "convox:env:set") ? environmentNotAllowed() : null;
}

/** What no call under approval may carry but one that lists it; rejected, not dropped (deploy R-PROXY-5). */
function optionRefusal(options: ProcessOptions, accepted: ReadonlySet<OptionHeader>): DeployRefusal | null {
  for (const [name, value] of options) {
    if (!accepted.has(name)) return processOption(name);
    if (NUMBERS.has(name) && !NUMBER.test(value)) return processOption(name, "Its value is not a number.");
    if (FLAGS.has(name) && value !== "true" && value !== "false") {
      return processOption(name, "Its value is neither true nor false.");
    }
  }
  return null;
}

const START_OPTIONS: ReadonlySet<OptionHeader> = new Set([
  "Command",
  "Release",
  "Cpu",
  "Cpu-Limit",
  "Memory",
  "Memory-Limit",
  "Height",
  "Width",
]);

/** The client runs a command through the image's own entry point, and says whether there is a terminal. */
const EXEC_OPTIONS: ReadonlySet<OptionHeader> = new Set([
  "Command",
  "Entrypoint",
  "Height",
  "Width",
  "Tty",
  "Disable-Stdin",
]);

const NUMBERS: ReadonlySet<OptionHeader> = new Set(["Cpu", "Cpu-Limit", "Memory", "Memory-Limit", "Height", "Width"]);
const FLAGS: ReadonlySet<OptionHeader> = new Set(["Entrypoint", "Tty", "Disable-Stdin"]);
const NUMBER = /^[0-9]{1,9}$/;

/** 1 to 86,400 seconds: what the client starts before it runs a command. */
const SLEEP = /^sleep (?:[1-9][0-9]{0,3}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)$/;

function commandOf(options: ProcessOptions): string {
  return textOfHeader(options.get("Command") ?? "")?.trim() ?? "";
}

/** The approved text that equals the command; a blank command equals none, whatever the list says. */
function approvedCommand(command: string, { approvedCommands }: ProcessRules): string | null {
  if (command === "") return null;
  return approvedCommands.find((approved) => approved.trim() === command)?.trim() ?? null;
}

function forwarded(options: ProcessOptions, command: string): readonly HeaderPair[] {
  return [...options].map(([name, value]) => [name, name === "Command" ? headerOfText(command) : value]);
}

function tooMany({ commandCount }: ProcessRules): DeployRefusal | null {
  if (commandCount < commandsMax) return null;
  return processNotApproved(`At most ${commandsMax} commands may be started and run under one approval.`);
}
