/**
 * Was the approval used within what it permits? Grants, their windows and uses as entries tell them.
 * Implements docs/spec/evidence.md section 6, step 7.
 */
import type { EntryFields } from "../ledger/entry.ts";

export interface GrantProblem {
  readonly seq: number | null;
  readonly detail: string;
}

interface Grant {
  readonly issuedAt: string;
  readonly usesMax: number | null;
  expiresAt: string | null;
  endedAt: string | null;
  uses: number;
}

/** `own` are the entries of the request, in order; `at` is the time that somebody asks about, or null. */
export function checkGrants(own: readonly EntryFields[], isApproved: boolean, at: string | null): GrantProblem | null {
  const grants = new Map<string, Grant>();
  for (const entry of own) {
    const detail = readGrantEntry(grants, entry, own);
    if (detail !== null) return { seq: entry.seq, detail };
  }
  if (grants.size > 0 && !isApproved) return { seq: null, detail: "a grant was given without an approval" };
  return at === null ? null : problemAt([...grants.values()], own, at);
}

/** `2026-11-20T09:17:31.871Z` compared as text, because text order is time order. */
function problemAt(grants: readonly Grant[], own: readonly EntryFields[], at: string): GrantProblem | null {
  if (grants.length === 0) {
    const approved = own.find((entry) => entry.kind === "request.approved");
    return approved !== undefined && approved.at <= at ? null : { seq: null, detail: `nothing was approved at ${at}` };
  }
  const inForce = grants.some(
    ({ issuedAt, expiresAt, endedAt }) =>
      issuedAt <= at && (expiresAt === null || at <= expiresAt) && (endedAt === null || at < endedAt),
  );
  return inForce ? null : { seq: null, detail: `no grant was in force at ${at}` };
}

function readGrantEntry(grants: Map<string, Grant>, entry: EntryFields, own: readonly EntryFields[]): string | null {
  const { kind, data } = entry;
  if (!kind.startsWith("grant.")) return null;
  const id = data["grant"];
  if (typeof id !== "string") return "a grant has no name";
  if (kind === "grant.issued") return issueGrant(grants, id, entry, own);
  const grant = grants.get(id);
  return grant === undefined ? "a grant was never issued" : changeGrant(grant, entry);
}

function issueGrant(
  grants: Map<string, Grant>,
  id: string,
  { seq, at, data }: EntryFields,
  own: readonly EntryFields[],
): string | null {
  if (grants.has(id)) return "a grant is issued twice";
  if (!own.some((other) => other.kind === "request.approved" && other.seq < seq)) {
    return "a grant is issued before the approval";
  }
  const { expires_at: expiresAt, uses } = data;
  grants.set(id, {
    issuedAt: at,
    usesMax: typeof uses === "number" ? uses : null,
    expiresAt: typeof expiresAt === "string" ? expiresAt : null,
    endedAt: null,
    uses: 0,
  });
  return null;
}

function changeGrant(grant: Grant, { kind, at, data }: EntryFields): string | null {
  if (kind === "grant.used") return useGrant(grant, at, data["use"]);
  if (kind === "grant.extended") {
    if (grant.endedAt !== null) return "a grant is extended that had ended";
    grant.expiresAt = typeof data["expires_at"] === "string" ? data["expires_at"] : null;
  }
  if (kind === "grant.revoked" || kind === "grant.expired") grant.endedAt ??= at;
  return null;
}

function useGrant(grant: Grant, at: string, use: unknown): string | null {
  grant.uses += 1;
  if (use !== grant.uses) return "the uses of a grant are not counted from one";
  if (grant.usesMax !== null && grant.uses > grant.usesMax) return "a grant is used more often than it permits";
  if (grant.endedAt !== null) return "a grant is used that had ended";
  return grant.expiresAt === null || at <= grant.expiresAt ? null : "a grant is used after it expired";
}
