/**
 * What does a bundle hold, and how is one read and written? One approval with everything that an offline check needs.
 * Implements docs/spec/evidence.md section 5 (ledger R-OFF-5): closed schemas, at most 5 MiB.
 */
import { canonicalJson } from "../ledger/canonical-json.ts";
import type { JsonObject, JsonValue } from "../ledger/canonical-json.ts";
import { toBase64 } from "../ledger/base64.ts";
import { fromHex } from "../ledger/hex.ts";
import { isRecord } from "../ledger/kind-schema.ts";
import { MEMBER_FORMS } from "../ledger/member-form.ts";
import type { Checkpoint } from "../ledger/note.ts";
import { exceedsUtf8 } from "../ledger/utf8.ts";
import { hasExactly, isBase64Hash, isListOf, isText } from "./closed-form.ts";
import { isEnvelope } from "./dsse.ts";
import type { DsseEnvelope } from "./dsse.ts";
import type { StatementCheckpoint } from "./statement.ts";
import { parseStrictJson } from "./strict-json.ts";

export const BUNDLE_BYTES_MAX = 5 * 1024 * 1024;

export const BUNDLE_OUTCOMES = ["pending", "approved", "rejected", "cancelled", "expired", "superseded"] as const;

export type BundleOutcome = (typeof BUNDLE_OUTCOMES)[number];

export interface BundleRequest {
  readonly id: string;
  readonly org: string;
  readonly gate: string;
  readonly outcome: BundleOutcome;
}

export interface BundleEntry {
  readonly seq: number;
  /** The canonical text of the entry. */
  readonly bytes: string;
  /** Inclusion in the bundle's checkpoint; base64, leaf side first. */
  readonly proof: readonly string[];
}

export type BundleOpening =
  | { readonly seq: number; readonly path: string; readonly salt: string; readonly value: JsonValue }
  | { readonly seq: number; readonly path: string; readonly erased: true };

/** Consistency of a checkpoint that a statement names with the bundle's. */
export interface BundleSeen {
  readonly checkpoint: StatementCheckpoint;
  readonly proof: readonly string[];
}

export interface BundleDisplay {
  readonly digest: string;
  readonly document: JsonObject;
}

export interface Bundle {
  readonly v: 1;
  readonly type: "countersign/bundle";
  readonly origin: string;
  readonly request: BundleRequest;
  /** The canonical payload with its salt, or `{"erased":true}`. */
  readonly payload: JsonObject;
  /** The canonical policy version. */
  readonly policy: JsonObject;
  readonly entries: readonly BundleEntry[];
  readonly openings: readonly BundleOpening[];
  /** The note with all its signature lines. */
  readonly checkpoint: string;
  readonly seen: readonly BundleSeen[];
  readonly displays?: readonly BundleDisplay[];
  readonly dsse?: DsseEnvelope;
}

export interface BundleParts {
  readonly origin: string;
  readonly request: BundleRequest;
  /** Null once it was erased. */
  readonly payload: JsonObject | null;
  readonly policy: JsonObject;
  /** Proofs in hex, as the ledger makes them; in any order. */
  readonly entries: readonly { readonly seq: number; readonly text: string; readonly proof: readonly string[] }[];
  readonly openings: readonly BundleOpening[];
  readonly checkpoint: string;
  readonly seen: readonly { readonly checkpoint: Checkpoint; readonly proof: readonly string[] }[];
  readonly displays?: readonly BundleDisplay[];
  readonly dsse?: DsseEnvelope;
}

export type ParsedBundle =
  { readonly ok: true; readonly bundle: Bundle } | { readonly ok: false; readonly finding: string };

const isProof = isListOf(isBase64Hash);
const isPath = (value: unknown): boolean => typeof value === "string" && value.startsWith("/") && value.length <= 512;
const isOutcome = (value: unknown): boolean => BUNDLE_OUTCOMES.some((outcome) => outcome === value);

const PLACE = { seq: MEMBER_FORMS.count.is, path: isPath };
const isHeldOpening = hasExactly({ ...PLACE, salt: isText, value: () => true });
const isErasedOpening = hasExactly({ ...PLACE, erased: (value) => value === true });

const CHECKPOINT = hasExactly({ origin: MEMBER_FORMS.origin.is, size: MEMBER_FORMS.count.is, root: isBase64Hash });

/** What a payload may be when it is not erased. */
const isPayload = (value: unknown): boolean =>
  isErased(value) || (isRecord(value) && typeof value["salt"] === "string" && typeof value["gate"] === "string");

const isBundleForm = hasExactly(
  {
    v: (value) => value === 1,
    type: (value) => value === "countersign/bundle",
    origin: MEMBER_FORMS.origin.is,
    request: hasExactly({
      id: MEMBER_FORMS.request.is,
      org: MEMBER_FORMS.org.is,
      gate: MEMBER_FORMS.code.is,
      outcome: isOutcome,
    }),
    payload: isPayload,
    policy: isRecord,
    entries: isListOf(hasExactly({ seq: MEMBER_FORMS.count.is, bytes: isText, proof: isProof })),
    openings: isListOf((value) => isHeldOpening(value) || isErasedOpening(value)),
    checkpoint: isText,
    seen: isListOf(hasExactly({ checkpoint: CHECKPOINT, proof: isProof })),
  },
  {
    displays: isListOf(hasExactly({ digest: MEMBER_FORMS.digest.is, document: isRecord })),
    dsse: isEnvelope,
  },
);

/** The bundle that a text is, or why it is none. */
export function parseBundle(text: string): ParsedBundle {
  if (exceedsUtf8(text, BUNDLE_BYTES_MAX)) return { ok: false, finding: "the bundle is larger than 5 MiB" };
  const value = parseStrictJson(text.replace(/\n$/, ""));
  if (value === undefined) return { ok: false, finding: "the bundle is not strictly one JSON object" };
  if (!isBundle(value)) return { ok: false, finding: unlike(value) };
  return isCanonical(value)
    ? { ok: true, bundle: value }
    : { ok: false, finding: "the bundle holds what JSON cannot say" };
}

/** The text of a bundle, its entries in order; null when it would be larger than 5 MiB. */
export function buildBundle(parts: BundleParts): string | null {
  const { origin, request, policy, openings, checkpoint, displays, dsse } = parts;
  const text = canonicalJson({
    ...{
      v: 1,
      type: "countersign/bundle",
      origin,
      request: { ...request },
      payload: parts.payload ?? { erased: true },
    },
    policy,
    entries: [...parts.entries]
      .sort((left, right) => left.seq - right.seq)
      .map(({ seq, text: bytes, proof }) => ({ seq, bytes, proof: proof.map(base64Of) })),
    openings: openings.map((opening) => ({ ...opening })),
    checkpoint,
    seen: parts.seen.map(({ checkpoint: { origin: name, size, root }, proof }) => ({
      checkpoint: { origin: name, size, root: base64Of(root) },
      proof: proof.map(base64Of),
    })),
    ...(displays === undefined ? {} : { displays: displays.map((display) => ({ ...display })) }),
    ...(dsse === undefined ? {} : { dsse: { ...dsse, signatures: dsse.signatures.map((line) => ({ ...line })) } }),
  });
  return exceedsUtf8(text, BUNDLE_BYTES_MAX) ? null : text;
}

export function isErased(payload: unknown): boolean {
  return isRecord(payload) && payload["erased"] === true && Object.keys(payload).length === 1;
}

function isBundle(value: unknown): value is Bundle {
  return isBundleForm(value);
}

function unlike(value: unknown): string {
  if (!isRecord(value) || value["type"] !== "countersign/bundle") return "this is not a bundle";
  return value["v"] === 1 ? "the bundle has a member that does not fit" : "this version of bundles is not known";
}

/** Numbers such as 1e400 are valid JSON that nobody can hash. */
function isCanonical(bundle: Bundle): boolean {
  try {
    return canonicalJson({ ...bundle.payload }).length > 0 && canonicalJson({ ...bundle.policy }).length > 0;
  } catch {
    return false;
  }
}

function base64Of(hash: string): string {
  return toBase64(fromHex(hash));
}
