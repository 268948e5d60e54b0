/** What a list of deploy approvals is asked for, with the leniency that older clients expect (docs/spec/deploy.md section 11.1). */
import type { z } from "zod";
import type { deployApprovalsQuerySchema } from "../../contract/deploy-approvals.ts";
import { deployStatuses, type DeployStatus } from "../../gates/deploy/deploy-status.ts";
import type { DeployFilter } from "../../ports/deploy-reader.ts";
import { definedMembers } from "../defined-members.ts";
import { problem, type Problem } from "../problem.ts";

type ListQuery = z.output<typeof deployApprovalsQuerySchema>;

const LIMIT = 200;
const OFFSET_MAX = 10_000;

export function listFilter(
  query: ListQuery,
  { now, scope }: { readonly now: number; readonly scope: string | null },
): DeployFilter | Problem {
  const limit = readCount(query.limit, LIMIT);
  if (limit === "negative") return problem("invalid_input", "limit must be non-negative");
  const offset = readCount(query.offset, OFFSET_MAX);
  if (offset === "negative") return problem("invalid_input", "offset must be non-negative");
  const commitPrefix = text(query.git_commit)?.toLowerCase();
  if (commitPrefix !== undefined && !/^[0-9a-f]{1,64}$/.test(commitPrefix)) {
    return problem("invalid_input", "git_commit must be hexadecimal");
  }
  const [since, until] = [momentIn(query.since), momentIn(query.until)];
  if (since === "wrong" || until === "wrong") return problem("invalid_input", "since and until must be RFC 3339 times");
  const statuses = statusesIn(query);
  if (statuses === "unknown") return problem("invalid_input", `status must be one of: ${deployStatuses.join(", ")}`);
  return definedMembers({
    ...{ statuses, commitPrefix, branch: text(query.git_branch), app: text(query.app), q: text(query.q) },
    ...{ scope: text(query.scope) ?? scope ?? undefined, since, until },
    cursor: text(query.cursor),
    ...{ now, limit: limit === 0 ? LIMIT : limit, offset },
  });
}

function text(given: string | undefined): string | undefined {
  const trimmed = given?.trim() ?? "";
  return trimmed === "" ? undefined : trimmed;
}

function readCount(given: string | undefined, most: number): number | "negative" {
  const said = text(given) ?? "0";
  if (/^-[0-9]+$/.test(said)) return Number(said) < 0 ? "negative" : 0;
  return /^[0-9]+$/.test(said) ? Math.min(Number(said), most) : 0;
}

/** Whole days are of UTC. */
function momentIn(given: string | undefined): number | undefined | "wrong" {
  const said = text(given);
  if (said === undefined) return undefined;
  const at = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2}))?$/.test(said)
    ? Date.parse(said)
    : Number.NaN;
  return Number.isNaN(at) ? "wrong" : at;
}

function statusesIn({ only_open: onlyOpen, status }: ListQuery): readonly DeployStatus[] | undefined | "unknown" {
  if (text(onlyOpen) === "true" || text(onlyOpen) === "1") return ["pending", "approved"];
  const asked = (text(status) ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
  if (asked.length === 0) return undefined;
  const known = deployStatuses.filter((one) => asked.includes(one));
  return known.length === new Set(asked).size ? known : "unknown";
}

/** Null when absent; `wrong` when it is no number between the bounds. */
export function wholeNumber(
  given: string | undefined,
  { least, most }: { readonly least: number; readonly most: number },
): number | null | "wrong" {
  const said = text(given);
  if (said === undefined) return null;
  const number = /^[0-9]{1,16}$/.test(said) ? Number(said) : -1;
  return number >= least && number <= most ? number : "wrong";
}

const PAGE_MAX = 100_000;

/** From 1; what is no such number counts as absent. */
export function pageNumber(given: string | undefined, absent: number): number {
  const number = wholeNumber(given, { least: 1, most: PAGE_MAX });
  return number === null || number === "wrong" ? absent : number;
}
