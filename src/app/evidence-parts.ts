/**
 * One approval with everything that an offline check needs: its entries with their proofs, the policy, the payload, what was
 * shown, and the openings that the asker may see. Implements docs/spec/ledger.md section 11 (the server's side of a bundle).
 */
import type { RequestId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import { permits, type Permission } from "../core/permission.ts";
import { Bug } from "../core/refusal.ts";
import {
  BUNDLE_OUTCOMES,
  buildBundle,
  type BundleOpening,
  type BundleOutcome,
  type BundleParts,
} from "../evidence/bundle.ts";
import { fromBase64 } from "../ledger/base64.ts";
import { parseEntry, type EntryFields } from "../ledger/entry.ts";
import { toHex } from "../ledger/hex.ts";
import { parseCheckpoint, type Checkpoint } from "../ledger/note.ts";
import { isJsonObject, type JsonValue } from "../core/json.ts";
import type { Checkpoints, EvidenceEntry, EvidenceOpening, EvidenceReader } from "../ports/evidence.ts";
import type { Viewer } from "../ports/reader.ts";
import type { Application } from "./application.ts";
import { boundPayloadOf } from "./bound-payload.ts";
import { ledgerId } from "./ledger-names.ts";

export interface EvidenceSource {
  readonly reader: EvidenceReader;
  readonly checkpoints: Checkpoints;
}

/** Shows what others wrote, as the audit list does. */
const OTHERS_OPENINGS: Permission = "ledger:entry:read";

/** A file, or null where it would be too large. */
export interface EvidenceFile {
  readonly requestName: string;
  readonly text: string | null;
}

/** Undefined when the request is unknown or not the viewer's to see. */
export async function evidenceFile(
  app: Application,
  source: EvidenceSource,
  id: RequestId,
  asker: Asker,
): Promise<EvidenceFile | undefined> {
  const parts = await evidenceParts(app, source, id, asker);
  return parts === undefined ? undefined : { requestName: parts.request.id, text: buildBundle(parts) };
}

export interface Asker {
  readonly viewer: Viewer;
  readonly actor: Actor;
}

async function evidenceParts(
  app: Application,
  { reader, checkpoints }: EvidenceSource,
  id: RequestId,
  asker: Asker,
): Promise<BundleParts | undefined> {
  const request = await app.reader.request(id, asker.viewer);
  if (request === undefined) return undefined;
  const policy = await app.reader.policyById(request.policy.id);
  if (policy === undefined) throw new Bug("the policy of a request cannot be found");
  const { entries: own, openings, displays } = await reader.ofRequest(id);
  const recorded = own.map(readEntry);
  const context = await reader.context(factorsOf(recorded), request.policy.digest);
  const org = ledgerId("org", request.orgId);
  const before = context.filter((entry) => entry.seq < (own.at(-1)?.seq ?? 0) && isContext(readEntry(entry), org));
  const entries = [...own, ...before];
  const note = await checkpoints.covering(Math.max(...entries.map(({ seq }) => seq)) + 1);
  const checkpoint = openNote(note);
  const seen = checkpointsSeen(recorded);
  const asked = { seqs: entries.map(({ seq }) => seq), from: seen.map(({ size }) => size) };
  const { inclusion, consistency } = await reader.proofs(checkpoint.size, asked);
  return {
    origin: checkpoint.origin,
    request: {
      id: ledgerId("req", id),
      org,
      gate: request.gate,
      outcome: outcomeOf(recorded),
    },
    payload: boundPayloadOf(request),
    policy: policy.document,
    entries: entries.map(({ seq, text }) => ({ seq, text, proof: proofOf(inclusion, seq) })),
    openings: shownOpenings(recorded, openings, asker.actor),
    checkpoint: note,
    seen: seen.map((each) => ({ checkpoint: each, proof: proofOf(consistency, each.size) })),
    ...(displays.length === 0 ? {} : { displays }),
  };
}

/** What decides whether a key could sign. That it was used is its person's own matter, in other organizations above all. */
const ABOUT_KEYS: ReadonlySet<string> = new Set([
  "factor.enrolled",
  "factor.removed",
  "factor.vouched",
  "factor.counter_regressed",
]);

/** Keys are a person's in every organization; the same policy in another one is another policy. */
function isContext({ kind, org }: EntryFields, own: string): boolean {
  return kind.startsWith("factor.") ? ABOUT_KEYS.has(kind) : org === own;
}

function readEntry({ seq, text }: EvidenceEntry): EntryFields {
  const parsed = parseEntry(text);
  if (!parsed.ok) throw new Bug(`entry ${String(seq)} cannot be read: ${parsed.finding}`);
  return parsed.entry;
}

function openNote(note: string): Checkpoint {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint === null) throw new Bug("a signed checkpoint cannot be read");
  return checkpoint;
}

function proofOf(proofs: ReadonlyMap<number, readonly string[]>, place: number): readonly string[] {
  const proof = proofs.get(place);
  if (proof === undefined) throw new Bug(`there is no proof for ${String(place)}`);
  return proof;
}

/** Keys that decisions were signed with. */
function factorsOf(entries: readonly EntryFields[]): readonly string[] {
  const named = decisionsAmong(entries).map(({ data }) => data["factor"]);
  return [...new Set(named.filter((factor) => typeof factor === "string"))];
}

function decisionsAmong(entries: readonly EntryFields[]): readonly EntryFields[] {
  return entries.filter(({ kind, data }) => kind === "decision.recorded" && data["statement"] !== null);
}

/** As the entries tell it: a bundle holds what was true when they were read. */
function outcomeOf(entries: readonly EntryFields[]): BundleOutcome {
  const ends = new Map(BUNDLE_OUTCOMES.map((outcome) => [`request.${outcome}`, outcome]));
  return entries.map(({ kind }) => ends.get(kind)).findLast((outcome) => outcome !== undefined) ?? "pending";
}

/** Each once, with the root as hashes are written here. */
function checkpointsSeen(entries: readonly EntryFields[]): readonly Checkpoint[] {
  const seen = new Map<number, Checkpoint>();
  for (const { data } of decisionsAmong(entries)) {
    const checkpoint = memberOf(data["statement"], "checkpoint");
    const [origin, size, root] = ["origin", "size", "root"].map((name) => memberOf(checkpoint, name));
    const bytes = typeof root === "string" ? fromBase64(root) : null;
    if (typeof origin !== "string" || typeof size !== "number" || bytes === null) continue;
    seen.set(size, { origin, size, root: toHex(bytes) });
  }
  return [...seen.values()];
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}

/** What the asker wrote, and with the permission what others did; what is gone says so to those who could have seen it. */
function shownOpenings(
  entries: readonly EntryFields[],
  openings: readonly EvidenceOpening[],
  { person, permissions }: Actor,
): readonly BundleOpening[] {
  const me = person === null ? null : ledgerId("usr", person.id);
  const seesAll = permits(permissions, OTHERS_OPENINGS);
  const kept = new Map(openings.map((opening) => [`${String(opening.seq)} ${opening.path}`, opening]));
  return entries
    .filter(({ actor }) => seesAll || (me !== null && actor === me))
    .flatMap(({ seq, data }) =>
      Object.entries(data)
        .filter(([, value]) => typeof value === "string" && value.startsWith("c1:"))
        .map(([name]): BundleOpening => {
          const path = `/${name}`;
          const opening = kept.get(`${String(seq)} ${path}`);
          if (opening === undefined) return { seq, path, erased: true };
          return { seq, path, salt: opening.salt, value: opening.value };
        }),
    );
}
