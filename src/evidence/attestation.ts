/**
 * What does an approval say to tools that know in-toto? A statement made from the bundle's own parts and from nothing else,
 * so that a verifier makes it again and compares. Implements docs/spec/evidence.md section 7.
 */
import { tryCompilePolicy } from "../core/compile-policy.ts";
import { canonicalJson } from "../ledger/canonical-json.ts";
import type { JsonObject, JsonValue } from "../ledger/canonical-json.ts";
import { toBase64 } from "../ledger/base64.ts";
import type { EntryFields } from "../ledger/entry.ts";
import { fromHex, toHex } from "../ledger/hex.ts";
import { isRecord } from "../ledger/kind-schema.ts";
import type { Checkpoint } from "../ledger/note.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { utf8Bytes } from "../ledger/utf8.ts";
import { fromBase64url } from "./base64url.ts";
import type { BundleRequest } from "./bundle.ts";
import { deployedCommit, deployedTo } from "./deployed-commit.ts";
import { listOf } from "./recorded-people.ts";

export interface AttestationParts {
  readonly request: BundleRequest;
  /** Null once it was erased. */
  readonly payload: JsonObject | null;
  readonly policy: JsonObject;
  /** Every entry of the bundle, in order. */
  readonly entries: readonly EntryFields[];
  readonly checkpoint: Checkpoint;
}

export const INTOTO_STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
export const INTOTO_PREDICATE_TYPE = "urn:countersign:human-approval:v1";

const ENDINGS: ReadonlySet<string> = new Set([
  ...["request.approved", "request.rejected", "request.cancelled", "request.expired", "request.superseded"],
]);

/** The canonical text that a DSSE envelope carries. */
export function attestationText(parts: AttestationParts, sha256: Sha256): string {
  const { request, payload, policy, entries, checkpoint } = parts;
  const own = entries.filter((entry) => entry.request === request.id);
  const created = own.find((entry) => entry.kind === "request.created");
  const ending = own.findLast((entry) => ENDINGS.has(entry.kind));
  const { origin, size, root } = checkpoint;
  const predicate = {
    action: request.gate,
    environment: deployedTo(payload),
    outcome: request.outcome,
    requestedAt: created?.at ?? null,
    decidedAt: ending?.at ?? null,
    policy: policyMembers(policy, entries),
    approvals: approvals(entries, own, sha256),
    grant: grantMembers(own),
    ledger: { origin, size, root: toBase64(fromHex(root)), entries: own.map((entry) => entry.seq) },
  };
  const subject = subjects(request, payload, created?.resource?.digest ?? "");
  return canonicalJson({ _type: INTOTO_STATEMENT_TYPE, subject, predicateType: INTOTO_PREDICATE_TYPE, predicate });
}

/** What was approved, by digests that other tools know: a commit and images, a key, or the payload. */
function subjects(request: BundleRequest, payload: JsonObject | null, digest: string): readonly JsonValue[] {
  const commit = deployedCommit(payload);
  if (request.gate === "deploy" && commit !== null) {
    const images = textsOf(payload, "images").map((image) => ({ name: image, digest: { sha256: bare(image) } }));
    return [{ name: "commit", digest: { gitCommit: commit } }, ...images];
  }
  const spki = textMember(payload, "spki");
  const [san] = textsOf(payload, "sans");
  if (request.gate === "certificate" && spki !== null && san !== undefined) {
    return [{ name: san, digest: { sha256: bare(spki) } }];
  }
  return [{ name: textMember(payload, "artifact_id") ?? request.id, digest: { sha256: bare(digest) } }];
}

function policyMembers(policy: JsonObject, entries: readonly EntryFields[]): JsonObject {
  const compiled = tryCompilePolicy(policy);
  const activation = entries.find((entry) => entry.kind === "policy.activated");
  return {
    key: activation?.data["key"] ?? null,
    version: activation?.data["version"] ?? null,
    digest: activation?.data["digest"] ?? null,
    // The requester and somebody else: what "two-party review" means to those who ask for it.
    twoPartyReview: compiled.ok && compiled.policy.forbidSelfApproval,
  };
}

function approvals(
  entries: readonly EntryFields[],
  own: readonly EntryFields[],
  sha256: Sha256,
): readonly JsonObject[] {
  const watching = observerTasks(own);
  return own
    .filter(({ kind, data }) => kind === "decision.recorded" && data["decision"] === "approve")
    .filter(({ data }) => !watching.some((task) => task === data["task"]))
    .map(({ actor, at, data }) => {
      const { statement = null, factor } = data;
      const enrolled = entries.find((entry) => entry.kind === "factor.enrolled" && entry.data["factor"] === factor);
      const spki = enrolled?.data["spki"];
      const key = typeof spki === "string" ? fromBase64url(spki) : null;
      return {
        person: actor,
        method: data["method"] ?? data["assurance"] ?? null,
        decidedAt: at,
        statementDigest: statement === null ? null : digestOf(utf8Bytes(canonicalJson(statement)), sha256),
        keyDigest: key === null ? null : digestOf(key, sha256),
      };
    });
}

/** Tasks of people who were asked to watch, not to approve. */
function observerTasks(own: readonly EntryFields[]): readonly unknown[] {
  return own
    .filter((entry) => entry.kind === "request.resolved")
    .flatMap((entry) => listOf(entry.data["tasks"]))
    .flatMap((task) => (isRecord(task) && task["kind"] === "observer" ? [task["task"]] : []));
}

function grantMembers(own: readonly EntryFields[]): JsonObject | null {
  const issued = own.findLast((entry) => entry.kind === "grant.issued");
  if (issued === undefined) return null;
  return { issuedAt: issued.at, expiresAt: issued.data["expires_at"] ?? null, uses: issued.data["uses"] ?? null };
}

function textMember(payload: JsonObject | null, name: string): string | null {
  const value = payload?.[name];
  return typeof value === "string" ? value : null;
}

function textsOf(payload: JsonObject | null, name: string): readonly string[] {
  return listOf(payload?.[name]).filter((value) => typeof value === "string");
}

/** Digests in in-toto have no prefix. */
function bare(digest: string): string {
  return digest.replace(/^sha256:/, "");
}

function digestOf(bytes: Uint8Array, sha256: Sha256): string {
  return `sha256:${toHex(sha256(bytes))}`;
}
