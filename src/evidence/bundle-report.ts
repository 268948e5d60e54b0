/**
 * What does a bundle that passed every step prove, and what not? Sentences for people and the same as data.
 * Implements docs/spec/evidence.md R-OFF-2: nothing that the server merely said is passed off as proven.
 */
import type { JsonValue } from "../ledger/canonical-json.ts";
import type { EntryFields } from "../ledger/entry.ts";
import { isErased } from "./bundle.ts";
import type { BundleOutcome } from "./bundle.ts";
import { listOf } from "./recorded-people.ts";
import type { ProvenBundle, ProvenDecision } from "./verify-bundle.ts";
import { isRecord } from "../ledger/kind-schema.ts";

export interface ReportedDecision {
  readonly seq: number;
  readonly person: string | null;
  readonly decision: string;
  readonly at: string;
  /** The person's own key signed it. */
  readonly signed: boolean;
  readonly text: string;
}

export interface BundleReport {
  readonly request: string;
  readonly org: string;
  readonly outcome: BundleOutcome;
  readonly ledger: { readonly origin: string; readonly size: number; readonly root: string };
  readonly payload: string | null;
  readonly decisions: readonly ReportedDecision[];
  readonly proven: readonly string[];
  readonly not_proven: readonly string[];
}

const VERBS: ReadonlyMap<unknown, string> = new Map([
  ["approve", "approved"],
  ["reject", "rejected"],
  ["abstain", "abstained"],
  ["request_changes", "sent back"],
]);

export function reportBundle(proven: ProvenBundle): BundleReport {
  const { bundle, checkpoint, entries } = proven;
  const { id, org, outcome } = bundle.request;
  const own = entries.filter((entry) => entry.request === id);
  const recorded = own.filter((entry) => entry.kind === "decision.recorded");
  return {
    request: id,
    org,
    outcome,
    ledger: { ...checkpoint },
    payload: own[0]?.resource?.digest ?? null,
    decisions: recorded.map((entry) => reportDecision(entry, signatureOf(proven, entry))),
    proven: provenLines(proven, own),
    not_proven: [
      ...recorded.flatMap((entry) => unprovenOf(entry, signatureOf(proven, entry))),
      ...unprovenStages(proven, own),
      ...unprovenLedger(proven),
      ...erasedLines(proven),
    ],
  };
}

function signatureOf({ signed }: ProvenBundle, { seq }: EntryFields): ProvenDecision | undefined {
  return signed.find((decision) => decision.seq === seq);
}

function reportDecision(entry: EntryFields, signature: ProvenDecision | undefined): ReportedDecision {
  const { seq, at, actor, data, resource } = entry;
  const decision = textOf(data["decision"]);
  const behalf = typeof data["on_behalf_of"] === "string" ? ` for ${data["on_behalf_of"]}` : "";
  const who = `${VERBS.get(decision) ?? decision} by ${actor ?? "nobody"}${behalf}`;
  const how =
    signature === undefined
      ? `at ${at}, as the server recorded (${methodOf(entry)})`
      : `with a passkey at ${at}, saw payload ${resource?.digest ?? ""}`;
  return { seq, person: actor, decision, at, signed: signature !== undefined, text: `${who} ${how}` };
}

function provenLines(
  { bundle, checkpoint, entries, witnesses, signed }: ProvenBundle,
  own: readonly EntryFields[],
): string[] {
  const { outcome } = bundle.request;
  return [
    `${entries.length} entries are in the ledger ${checkpoint.origin}, as its checkpoint of ${checkpoint.size} entries signs them`,
    ...(witnesses.length === 0 ? [] : [`witnesses cosigned that checkpoint: ${witnesses.join(", ")}`]),
    ...(isErased(bundle.payload) ? [] : ["the payload and the policy shown are those that were decided on"]),
    ...(signed.length === 0
      ? []
      : [`${signed.length} of the decisions are signed by the key of the person who decided`]),
    `the outcome ${outcome} follows from the policy and ${own.filter(({ kind }) => kind === "decision.recorded").length} decisions`,
    ...(bundle.dsse === undefined ? [] : ["the attestation says what the entries say, and its key signed it"]),
  ];
}

function unprovenOf(entry: EntryFields, signature: ProvenDecision | undefined): readonly string[] {
  const where = `decision of ${entry.actor ?? "nobody"} (entry ${entry.seq})`;
  if (signature === undefined) {
    return [`${textOf(entry.data["assurance"])} ${where}: recorded by the server, not signed by the person`];
  }
  return signature.isPinned ? [] : [`${where}: key vouched for by the server only`];
}

/** What the server looked up, or judged, and the entries only repeat. */
function unprovenStages({ policy }: ProvenBundle, own: readonly EntryFields[]): readonly string[] {
  const lines: string[] = [];
  const resolved = own.filter((entry) => entry.kind === "request.resolved");
  if (resolved.length > 0)
    lines.push("who was asked: the server looked up users, roles and groups, and recorded it before");
  for (const { order, rules } of policy.stages) {
    const asked = resolved.filter(({ data }) => data["stage"] === order).flatMap(({ data }) => listOf(data["tasks"]));
    const isDemanded = rules.some((rule) => rule.required) && asked.length > 0;
    if (isDemanded && !asked.some((task) => isRecord(task) && task["kind"] === "required")) {
      lines.push(`stage ${order}: the policy has required approvers, and the ledger names none among those asked`);
    }
  }
  for (const { kind, data } of own) {
    if (kind === "request.stage_skipped") {
      lines.push(`stage ${textOf(data["stage"])} was skipped (${textOf(data["reason_code"])}): the server judged so`);
    }
  }
  return policy.forbidSelfApproval ? [...lines, ...unprovenRequester(own)] : lines;
}

function unprovenRequester([created]: readonly EntryFields[]): readonly string[] {
  if (created === undefined) return [];
  return [
    ...(created.data["requester"] === null
      ? ["that the requester did not approve: the ledger has no id of the requester, the server compared names"]
      : []),
    ...(created.actor?.startsWith("mch_") === true
      ? ["that no owner of the machine that asked approved: the server knows the owners, the entries do not"]
      : []),
  ];
}

function unprovenLedger({ witnesses }: ProvenBundle): readonly string[] {
  if (witnesses.length > 0) return [];
  return [
    "no witness: that the ledger shows everybody the same history rests on its own key",
    "not anchored: nothing here compares the checkpoint with a copy kept elsewhere",
  ];
}

function erasedLines({ bundle }: ProvenBundle): readonly string[] {
  const erased = bundle.openings.filter((opening) => "erased" in opening);
  return [
    ...(isErased(bundle.payload) ? ["payload erased: its digest is proven, what it said is not"] : []),
    ...erased.map(({ seq, path }) => `${path.slice(1)} erased (entry ${seq})`),
  ];
}

function methodOf({ data }: EntryFields): string {
  const assurance = textOf(data["assurance"]);
  return typeof data["method"] === "string" ? `${assurance}, ${data["method"]}` : assurance;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
