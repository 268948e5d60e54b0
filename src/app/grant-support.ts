/**
 * Does the ledger give this grant? Before an approval permits anything it is derived again: what was recorded, played through
 * the engine, must approve this very payload, and the grant must stand as the entries tell it. A row that somebody inserted
 * permits nothing. Implements docs/spec/ledger.md R-VER-4 and docs/spec/identity.md R-SIGN-6.
 */
import type { Grant } from "../core/grant.ts";
import { isJsonObject } from "../core/json.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { Request } from "../core/request.ts";
import { checkGrants } from "../evidence/grants.ts";
import { replayOutcome } from "../evidence/outcome.ts";
import type { EntryFields } from "../ledger/entry.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import type { CompiledPolicy } from "../ports/change-set.ts";
import { digestOf } from "./digest.ts";
import { ledgerTime } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";

export interface GrantClaim {
  readonly request: Request;
  /** The one that the request pins. */
  readonly policy: CompiledPolicy;
  /** What the ledger has recorded of the request (`World.recordedOf`). */
  readonly recorded: readonly EntryFields[] | null;
  readonly sha256: Sha256;
}

/** Null where the record supports the grant. What is missing is for the operator's eyes: the caller is told that it is. */
export function unsupportedGrant(claim: GrantClaim): Refusal | null {
  const fault = supportFault(claim);
  if (fault === null) return null;
  return refuse("grant_not_supported", `The recorded decisions do not give this approval: ${fault}`);
}

function supportFault({ request, policy, recorded, sha256 }: GrantClaim): string | null {
  const { grant } = request;
  if (recorded === null || grant === null) return "its entries cannot be read";
  return (
    policyFault(request, policy, recorded, sha256) ??
    payloadFault(request, recorded) ??
    outcomeFault(policy, recorded) ??
    grantFault(grant, recorded)
  );
}

/** The rules that count are those that were pinned. */
function policyFault(
  { policy: pin, orgId }: Request,
  { version }: CompiledPolicy,
  recorded: readonly EntryFields[],
  sha256: Sha256,
): string | null {
  const [created] = recorded;
  if (created?.org !== ledgerId("org", orgId)) return "it was made in no such organization";
  const isPinned = created.data["policy"] === pin.digest && version.digest === pin.digest;
  return isPinned && digestOf(version.document, sha256) === pin.digest ? null : "its policy is another one";
}

/** Every decision, as it stands in the rows, in the entry, and in what was signed, is about this payload. */
function payloadFault({ digest, stages }: Request, recorded: readonly EntryFields[]): string | null {
  const rows = stages.flatMap((run) => run.decisions).filter(({ seatId }) => seatId !== null);
  const decisions = recorded.filter(({ kind }) => kind === "decision.recorded");
  const isAbout = rows.every((row) => row.digest === digest) && decisions.every((entry) => isEntryAbout(entry, digest));
  return isAbout ? null : "something else was decided on";
}

function isEntryAbout({ resource, data }: EntryFields, digest: string): boolean {
  const { statement } = data;
  return resource?.digest === digest && (!isJsonObject(statement) || statement["payload"] === digest);
}

/** The engine's own functions judge every recorded decision and complete every stage (engine R-QUORUM-14). */
function outcomeFault({ policy }: CompiledPolicy, recorded: readonly EntryFields[]): string | null {
  const replayed = replayOutcome(policy, recorded);
  if (!replayed.ok) return replayed.detail;
  return replayed.outcome === "approved" ? null : `they leave it ${replayed.outcome}`;
}

/** Issued, extended, used and ended as the row says. */
function grantFault(grant: Grant, recorded: readonly EntryFields[]): string | null {
  const name = ledgerId("grant", grant.id);
  const own = recorded.filter(({ kind, data }) => kind.startsWith("grant.") && data["grant"] === name);
  const issued = own.find(({ kind }) => kind === "grant.issued");
  if (issued === undefined) return "no grant was issued";
  const problem = checkGrants(
    recorded.filter(({ kind }) => kind !== "grant.used"),
    true,
    null,
  );
  if (problem !== null) return problem.detail;
  const timed = own.findLast(({ kind }) => kind === "grant.issued" || kind === "grant.extended");
  const used = own.findLast(({ kind }) => kind === "grant.used")?.data["use"] ?? 0;
  const hasEnded = own.some(({ kind }) => kind === "grant.revoked" || kind === "grant.expired");
  const isAsRecorded =
    issued.data["uses"] === grant.usesMax &&
    timed?.data["expires_at"] === ledgerTime(grant.expiresAt) &&
    used === grant.uses &&
    hasEnded === (grant.state === "revoked" || grant.state === "expired");
  return isAsRecorded ? null : "the grant is not as it was recorded";
}
