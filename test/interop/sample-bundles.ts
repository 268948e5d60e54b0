/**
 * Whole approvals to verify: a random policy and random people, decided by the engine itself, recorded by the application's
 * own code, signed by passkeys in software, in a small ledger with a signed checkpoint. Bad ones are good ones with
 * something changed, before the ledger is made (what a server could do) or after (what everybody else could).
 */
import { recordRequest } from "../../src/app/record-request.ts";
import { compilePolicy } from "../../src/core/compile-policy.ts";
import { createRequest } from "../../src/core/create-request.ts";
import { decide } from "../../src/core/decide.ts";
import type { Command } from "../../src/core/decide.ts";
import type { EngineEvent } from "../../src/core/event.ts";
import type { Facts } from "../../src/core/facts.ts";
import { isId } from "../../src/core/ids.ts";
import type { NewId, PersonId, TaskId } from "../../src/core/ids.ts";
import { foldName } from "../../src/core/person.ts";
import type { Actor, Delegation, Person } from "../../src/core/person.ts";
import type { Policy } from "../../src/core/policy.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import { isLive, isOpenTask } from "../../src/core/request.ts";
import type { DecisionAction, Request, StageRun, Task } from "../../src/core/request.ts";
import { attestationText } from "../../src/evidence/attestation.ts";
import { batchChallenge, batchPath, batchRoot } from "../../src/evidence/batch.ts";
import { buildBundle } from "../../src/evidence/bundle.ts";
import type { BundleOpening, BundleOutcome, BundleParts } from "../../src/evidence/bundle.ts";
import { INTOTO_PAYLOAD_TYPE, signEnvelope } from "../../src/evidence/dsse.ts";
import { encodeStatement, statementChallenge } from "../../src/evidence/statement.ts";
import type { DecisionStatement } from "../../src/evidence/statement.ts";
import { appendEntries } from "../../src/ledger/append.ts";
import type { EntryDraft, SealedEntry } from "../../src/ledger/append.ts";
import { canonicalJson } from "../../src/ledger/canonical-json.ts";
import type { JsonObject, JsonValue } from "../../src/ledger/canonical-json.ts";
import type { Opening } from "../../src/ledger/commitment.ts";
import { parseEntry } from "../../src/ledger/entry.ts";
import type { EntryFields } from "../../src/ledger/entry.ts";
import { fromHex } from "../../src/ledger/hex.ts";
import { isRecord } from "../../src/ledger/kind-schema.ts";
import { emptyHead } from "../../src/ledger/head.ts";
import type { LedgerHead } from "../../src/ledger/head.ts";
import { formatCheckpoint, signCheckpoint, verifierKeyOf } from "../../src/ledger/note.ts";
import { consistencyProof, inclusionProof, subtreesOf } from "../../src/ledger/proof.ts";
import { rootOf } from "../../src/ledger/tree.ts";
import { Dice } from "./dice.ts";
import { RP_ID, WEB_ORIGIN } from "./sample-decisions.ts";
import { nodeSha256, SAMPLE_ORIGIN, sampleHash } from "./sample-ledger.ts";
import { FLAGS, signCeremony, text64 } from "./software-authenticator.ts";
import type { SoftwareKey } from "./software-authenticator.ts";

/** What both implementations are asked. */
export interface BundleQuestionText {
  readonly bundle: string;
  readonly trust: string;
  readonly keys: string;
  readonly expect_digest: string | null;
  readonly expect_commit: string | null;
  readonly at: string | null;
}

/** An approval before its ledger is made. */
export interface SampleApproval {
  readonly request: {
    readonly id: string;
    readonly org: string;
    readonly gate: string;
    readonly outcome: BundleOutcome;
  };
  readonly payload: JsonObject;
  readonly policy: JsonObject;
  readonly rows: readonly SampleRow[];
  readonly hasAttestation: boolean;
  readonly isErased: boolean;
}

export interface SampleRow {
  readonly at: string;
  readonly draft: EntryDraft;
  readonly openings: readonly Opening[];
  /** Entries that a bundle leaves out, such as those of other requests. */
  readonly isNoise: boolean;
}

export const LOG_SEED = fromHex(sampleHash("log seed of the samples"));
export const ATTESTATION_SEED = fromHex(sampleHash("attestation seed of the samples"));
export const LOG_VKEY = verifierKeyOf(LOG_SEED, SAMPLE_ORIGIN);
export const TRUST = `# the samples\nlog ${LOG_VKEY}\nquorum none\n`;

const START = Date.UTC(2026, 10, 20, 9);
const HOUR = 3_600_000;
const NAMES = ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal"] as const;
const GATES = ["generic", "deploy", "certificate"] as const;

/** `merging`: how likely it is at each turn that two people turn out to be one. */
export function sampleApproval(seed: number, keys: readonly SoftwareKey[], merging = 0): SampleApproval {
  const life = new Life(new Dice(seed), keys, merging);
  life.run();
  return life.approval();
}

/** The bundle of an approval; `change` is applied to its parts before it is written. */
export function sealApproval(
  approval: SampleApproval,
  change: (parts: BundleParts) => BundleParts = (parts) => parts,
): string {
  const { request, payload, policy, rows } = approval;
  const entries = ledgerOf(rows);
  const leaves = entries.map((entry) => entry.leaf);
  const subtrees = subtreesOf((seq) => leaves[seq] ?? "", nodeSha256);
  const size = leaves.length;
  const checkpoint = { origin: SAMPLE_ORIGIN, size, root: rootOf(leaves, nodeSha256) };
  const kept = entries.filter((_, seq) => rows[seq]?.isNoise === false);
  const seen = new Map(
    kept
      .flatMap(({ text }) => seenSize(text))
      .map((from) => {
        const older = { origin: SAMPLE_ORIGIN, size: from, root: rootOf(leaves.slice(0, from), nodeSha256) };
        return [from, { checkpoint: older, proof: consistencyProof(subtrees, from, size, nodeSha256) }];
      }),
  );
  const shown = approval.isErased ? null : payload;
  const fields = kept.map(({ text }) => fieldsOf(text));
  const attested = attestationText({ request, payload: shown, policy, entries: fields, checkpoint }, nodeSha256);
  const dsse = signEnvelope(ATTESTATION_SEED, INTOTO_PAYLOAD_TYPE, attested, nodeSha256);
  const parts: BundleParts = {
    origin: SAMPLE_ORIGIN,
    ...{ request, payload: shown, policy },
    entries: kept.map(({ seq, text }) => ({ seq, text, proof: inclusionProof(subtrees, seq, size, nodeSha256) })),
    openings: kept.flatMap(({ seq }) => openingsOf(rows[seq]?.openings ?? [], seq, approval.isErased)),
    checkpoint: signCheckpoint(LOG_SEED, SAMPLE_ORIGIN, formatCheckpoint(checkpoint)),
    seen: [...seen.values()],
    ...(approval.hasAttestation ? { dsse } : {}),
  };
  const text = buildBundle(change(parts));
  if (text === null) throw new Error("a sample is larger than a bundle may be");
  return text;
}

export function ask(bundle: string, change: Partial<BundleQuestionText> = {}): BundleQuestionText {
  return { bundle, trust: TRUST, keys: "", expect_digest: null, expect_commit: null, at: null, ...change };
}

function fieldsOf(text: string): EntryFields {
  const parsed = parseEntry(text);
  if (!parsed.ok) throw new Error(parsed.finding);
  return parsed.entry;
}

function ledgerOf(rows: readonly SampleRow[]): readonly SealedEntry[] {
  let head: LedgerHead = emptyHead(SAMPLE_ORIGIN, nodeSha256);
  return rows.map(({ at, draft }) => {
    const appended = appendEntries(head, [draft], at, nodeSha256);
    ({ head } = appended);
    const [entry] = appended.entries;
    if (entry === undefined) throw new Error("nothing was appended");
    return entry;
  });
}

function seenSize(text: string): readonly number[] {
  const { statement } = fieldsOf(text).data;
  const checkpoint = isRecord(statement) ? statement["checkpoint"] : null;
  return isRecord(checkpoint) ? [Number(checkpoint["size"])] : [];
}

function openingsOf(openings: readonly Opening[], seq: number, isErased: boolean): readonly BundleOpening[] {
  return openings.map((opening) => (isErased ? { seq, path: opening.path, erased: true } : { seq, ...opening }));
}

/** Where people enrolled keys who act in several organizations: no matter to what they sign. */
const ELSEWHERE = `org_${"0e".repeat(16)}`;

/** One request from its policy to its end. */
class Life {
  readonly dice: Dice;
  readonly keys: readonly SoftwareKey[];
  readonly newId: NewId;
  readonly org: string;
  readonly people: Map<string, Person>;
  /** Which key is whose, for good. */
  readonly keyIndex: ReadonlyMap<string, number>;
  /** Entry by decision. */
  readonly recordedAt = new Map<string, number>();
  readonly merging: number;
  readonly document: JsonObject;
  readonly policy: Policy;
  readonly gate: string;
  readonly payload: JsonObject;
  readonly delegations: ReadonlyMap<PersonId, readonly Delegation[]>;
  readonly counters = new Map<string, number>();
  readonly rows: SampleRow[] = [];
  readonly hasAttestation: boolean;
  readonly leaves: string[] = [];
  head: LedgerHead = emptyHead(SAMPLE_ORIGIN, nodeSha256);
  now = START;
  #request: Request | null = null;

  constructor(dice: Dice, keys: readonly SoftwareKey[], merging: number) {
    this.dice = dice;
    this.merging = merging;
    this.keys = keys;
    this.newId = idsFrom(dice);
    this.org = dashless("org", this.newId());
    this.people = new Map(NAMES.map((name) => [name, personCalled(name, this.newId())]));
    this.keyIndex = new Map([...this.people.values()].map(({ id }, index) => [id, index]));
    this.document = policyDocument(dice);
    this.policy = compilePolicy(this.document);
    this.gate = dice.pick(GATES);
    this.hasAttestation = dice.chance(0.3);
    this.payload = payloadOf(dice, this.gate);
    this.delegations = delegationsOf(dice, this.people, this.newId);
  }

  approval(): SampleApproval {
    const { id, status } = this.request;
    const outcome = status === "in_review" ? "pending" : status;
    return {
      request: { id: dashless("req", id), org: this.org, gate: this.gate, outcome },
      payload: this.payload,
      policy: this.document,
      rows: this.rows,
      hasAttestation: this.hasAttestation,
      isErased: this.dice.chance(0.1),
    };
  }

  get request(): Request {
    if (this.#request === null) throw new Error("there is no request yet");
    return this.#request;
  }

  run(): void {
    this.found();
    this.create();
    const turns = this.dice.chance(0.1) ? this.dice.below(4) : 40;
    for (let turn = 0; turn < turns && isLive(this.request.status); turn += 1) this.turn();
    if (this.request.status === "approved" && this.dice.chance(0.7)) this.useGrant();
    if (this.dice.chance(0.5)) this.noise();
  }

  /** The ledger's beginning: its keys, people's keys, the policy. */
  found(): void {
    const { dice } = this;
    this.append(
      this.entry(
        "ledger.created",
        { origin: SAMPLE_ORIGIN, vkey: LOG_VKEY, hash: "sha256", canonical: "rfc8785" },
        null,
      ),
    );
    if (this.hasAttestation) {
      const vkey = verifierKeyOf(ATTESTATION_SEED, `${SAMPLE_ORIGIN}/attestations`);
      this.append(this.entry("ledger.key_added", { vkey, reason: "attestation" }, null));
    }
    for (const [index, person] of [...this.people.values()].entries()) {
      if (dice.chance(0.3)) this.noise();
      const key = this.keyOf(index);
      this.append(
        this.entry(
          "factor.enrolled",
          {
            factor: factorOf(person),
            person: dashless("usr", person.id),
            type: "passkey",
            spki: key.spki,
            alg: key.algorithm,
            credential_digest: credentialOf(person),
            ...(dice.chance(0.5) ? { backup_eligible: true } : {}),
            usable_at: new Date(this.now).toISOString(),
          },
          index % 3 === 2 ? ELSEWHERE : this.org,
        ),
      );
    }
    const digest = digestOf(this.document);
    this.append(
      this.entry("policy.activated", { key: this.policy.key, version: 1 + dice.below(5), digest, replaced: null }),
    );
  }

  create(): void {
    const { dice, policy, newId } = this;
    const machine = dice.chance(0.5);
    const actor = machine ? MACHINE : actorFor(this.somebody());
    const created = createRequest(
      {
        ...{ id: newId(), orgId: this.org.slice(4), actor, artifactType: policy.artifactType, artifactId: "batch-7" },
        ...{ gate: "generic", liveKey: null },
        ...{ requester: machine ? "somebody else" : null, context: {}, expiresInHours: null },
        ...{ salt: "", digest: digestOf(this.payload) },
      },
      {
        policy,
        pin: { id: newId(), key: policy.key, version: 1, digest: digestOf(this.document) },
        ...{ facts: this.facts(), settings: SETTINGS, now: this.now },
      },
    );
    if (isRefusal(created)) throw new Error(created.message);
    this.record(null, created.request, { events: created.events, actor });
  }

  turn(): void {
    const { dice } = this;
    this.now += 1_000 + dice.below(200_000);
    if (dice.chance(0.15)) this.noise();
    if (this.merging > 0 && dice.chance(this.merging)) {
      this.merge();
      return;
    }
    const open = this.request.stages.filter((run) => run.state === "open");
    const tasks = open.flatMap((run) => run.tasks.filter(isOpenTask).map((task) => ({ run, task })));
    const chosen = dice.one(tasks);
    const luck = dice.next();
    if (luck < 0.06) {
      this.now += dice.below(30) * HOUR;
      this.command({ type: "tick" }, null);
    } else if (chosen === undefined || luck < 0.08) {
      this.command({ type: "cancel", actor: ADMIN, reason: "not needed" }, ADMIN);
    } else if (luck < 0.14) this.reassign(chosen.task);
    else if (luck < 0.18) this.leave(chosen.task);
    else this.decide(chosen.run, chosen.task);
  }

  decide(run: StageRun, task: Task): void {
    const { dice } = this;
    const override = dice.chance(0.08);
    const person = override ? this.somebody() : this.personWith(task.personId);
    const action: DecisionAction = dice.pick([
      "approve",
      "approve",
      "approve",
      "approve",
      "approve",
      "reject",
      "abstain",
    ]);
    const isSigned = run.assurance === "signed" || dice.chance(0.5);
    const shownAt = this.now;
    this.now += 4_000 + dice.below(40_000);
    const proven = isSigned
      ? ({ assurance: "signed", method: "passkey", factorId: factorOf(person).slice(4), shownAt } as const)
      : ({ assurance: "mfa", method: "totp", factorId: this.newId(), shownAt } as const);
    const actor = { ...actorFor(person), admin: override };
    const command: Command = {
      ...{ type: "decide", taskId: task.id, decisionId: this.newId(), actor, action, proven },
      comment: dice.chance(0.5) ? "Reviewed diff, LGTM" : null,
      ...{ attachmentsRef: null, reasonCode: null, digest: null },
    };
    this.command(command, actor, isSigned ? person : null);
  }

  reassign(task: Task): void {
    const { assignee: newAssignee } = this.somebody();
    const newTaskId: TaskId = this.newId();
    this.command({ type: "reassign", taskId: task.id, newTaskId, newAssignee, actor: ADMIN, reason: null }, ADMIN);
  }

  /** What the one did is the other's from now on; under either name there is one person. */
  merge(): void {
    const [from, into] = [this.somebody(), this.somebody()];
    if (from.id === into.id) return;
    const recordedAt = (decision: string): number => this.recordedAt.get(decision) ?? 0;
    for (const [name, person] of this.people) if (person.id === from.id) this.people.set(name, into);
    this.command({ type: "merge", from: from.id, into, recordedAt }, null);
  }

  leave(task: Task): void {
    this.command({ type: "leave", personId: task.personId, cause: "suspended" }, null);
  }

  /** What the approval yielded is used, and sometimes taken back or left to run out. */
  useGrant(): void {
    const { dice } = this;
    const given = { actor: MACHINE, by: "gate", digest: this.request.digest } as const;
    for (let use = 1; use <= Math.min(this.request.grant?.usesMax ?? 2, 2); use += 1) {
      this.now += 60_000;
      this.command({ type: "use_grant", ...given, action: "convox:release:promote" }, MACHINE);
    }
    const { actor, by } = given;
    if (dice.chance(0.2)) this.command({ type: "revoke_grant", actor, by, reason: "rejected", comment: "no" }, MACHINE);
    if (dice.chance(0.2)) {
      this.now += 2 * HOUR;
      this.command({ type: "tick" }, null);
    }
  }

  command(command: Command, actor: Actor | null, signer: Person | null = null): void {
    const before = this.request;
    const outcome = decide(before, command, {
      ...{ policy: this.policy, facts: this.facts(), now: this.now, settings: SETTINGS },
    });
    if (outcome.request !== before) this.record(before, outcome.request, { events: outcome.events, actor, signer });
  }

  record(
    before: Request | null,
    after: Request,
    {
      events,
      actor,
      signer = null,
    }: { readonly events: readonly EngineEvent[]; readonly actor: Actor | null; readonly signer?: Person | null },
  ): void {
    this.#request = after;
    const { entries } = recordRequest({ before, after, events, actor, newId: this.newId }, TOOLS(this.dice));
    const decided = events.filter((event) => event.type === "task_decided").map(({ decision }) => decision.id);
    for (const { draft, openings } of entries) {
      const decision = draft.kind === "decision.recorded" ? decided.shift() : undefined;
      if (decision !== undefined) this.recordedAt.set(decision, this.rows.length);
      const own = { ...draft, resource: { digest: after.digest, gate: this.gate } };
      const isSigned = draft.kind === "decision.recorded" && signer !== null;
      this.append(isSigned ? { ...own, data: this.signed(own, signer) } : own, openings);
    }
  }

  /** The same decision with a statement and the signature of the person over it. */
  signed(draft: EntryDraft, person: Person): JsonObject {
    const { dice } = this;
    const { data } = draft;
    const statement = this.statementFor(draft, person);
    const text = encodeStatement(statement);
    const index = this.keyIndex.get(person.id) ?? 0;
    const key = this.keyOf(index);
    const others = dice.chance(0.3)
      ? Array.from({ length: 1 + dice.below(9) }, () =>
          encodeStatement({ ...statement, nonce: text64(dice.bytes(32)) }),
        )
      : null;
    const place = dice.below((others?.length ?? 0) + 1);
    const texts = others === null ? [text] : others.toSpliced(place, 0, text);
    const root = batchRoot(texts, nodeSha256);
    const challenge = others === null ? statementChallenge(text, nodeSha256) : batchChallenge(root, nodeSha256);
    const counter = (this.counters.get(person.id) ?? 0) + (index % 2);
    this.counters.set(person.id, counter);
    // Half of the people's authenticators do not count; all of them may back their keys up.
    const flags = FLAGS.present | FLAGS.verified | FLAGS.eligible;
    const assertion = signCeremony(key, { challenge, origin: WEB_ORIGIN, rpId: RP_ID, flags, counter });
    const batch = { root, index: place, size: texts.length, path: batchPath(texts, place, nodeSha256) };
    return {
      ...data,
      statement: { ...statement, policy: { ...statement.policy }, checkpoint: { ...statement.checkpoint } },
      assertion: { ...assertion, credential_digest: credentialOf(person), ...(others === null ? {} : { batch }) },
    };
  }

  statementFor({ data, resource, request }: EntryDraft, person: Person): DecisionStatement {
    const { dice } = this;
    const size = 1 + dice.below(this.leaves.length);
    const root = Buffer.from(fromHex(rootOf(this.leaves.slice(0, size), nodeSha256))).toString("base64");
    return {
      ...{
        v: 1,
        type: "countersign/decision",
        org: this.org,
        request: request ?? "",
        revision: Number(data["revision"]),
      },
      ...{
        stage: Number(data["stage"]),
        task: textOf(data["task"]) ?? "",
        gate: this.gate,
        decision: decisionOf(data["decision"]),
      },
      ...{ approver: dashless("usr", person.id), on_behalf_of: textOf(data["on_behalf_of"]) },
      policy: { key: this.policy.key, version: 1, digest: digestOf(this.document) },
      payload: resource?.digest ?? "",
      display: `sha256:${dice.hex(32)}`,
      reason: textOf(data["reason"]),
      checkpoint: { origin: SAMPLE_ORIGIN, size, root },
      shown_at: textOf(data["shown_at"]) ?? "",
      not_after: new Date(this.now + 60_000).toISOString(),
      nonce: text64(dice.bytes(32)),
    };
  }

  noise(): void {
    const org = dashless("org", this.newId());
    const draft = this.entry("setting.changed", {
      key: "decisions.admin_override",
      old: null,
      new: `c1:${this.dice.hex(32)}`,
    });
    this.append({ ...draft, org }, [], true);
  }

  append(draft: EntryDraft, openings: readonly Opening[] = [], isNoise = false): void {
    const at = new Date(this.now).toISOString();
    this.rows.push({ at, draft, openings, isNoise });
    const appended = appendEntries(this.head, [draft], at, nodeSha256);
    this.head = appended.head;
    this.leaves.push(...appended.entries.map(({ leaf }) => leaf));
  }

  entry(kind: string, data: JsonObject, org: string | null = this.org): EntryDraft {
    return { org, kind, actor: "sys_server", credential: null, resource: null, request: null, data };
  }

  about(kind: string, data: JsonObject): EntryDraft {
    const resource = { digest: this.request.digest, gate: this.gate };
    return { ...this.entry(kind, data), resource, request: dashless("req", this.request.id) };
  }

  facts(): Facts {
    const now = (one: Delegation): Delegation => ({ ...one, to: this.people.get(one.to.assignee) ?? one.to });
    const delegations = new Map([...this.delegations].map(([from, list]) => [from, list.map(now)]));
    return { people: this.people, lookups: new Map(), delegations, newId: this.newId };
  }

  keyOf(index: number): SoftwareKey {
    const key = this.keys[index % this.keys.length];
    if (key === undefined) throw new Error("samples need keys");
    return key;
  }

  somebody(): Person {
    return this.personCalled(this.dice.pick(NAMES));
  }

  personCalled(name: string): Person {
    const found = this.people.get(name);
    if (found === undefined) throw new Error(`nobody is called ${name}`);
    return found;
  }

  personWith(id: PersonId): Person {
    const found = [...this.people.values()].find((person) => person.id === id);
    if (found === undefined) throw new Error("nobody has this id");
    return found;
  }
}

const SETTINGS = { adminOverride: "allow", defaultTtlHours: 240, enforceArtifactType: false } as const;

const TOOLS = (dice: Dice) => ({ sha256: nodeSha256, random: (length: number) => dice.bytes(length) });

const MACHINE: Actor = {
  ...{
    person: null,
    assignee: "pipeline",
    displayName: "pipeline",
    issuer: "https://issuer.test",
    subject: "pipeline",
  },
  ...{
    clientId: "pipeline",
    email: null,
    credential: null,
    machine: true,
    standsFor: [],
    permissions: [],
    admin: false,
    viewer: false,
  },
};

const ADMIN: Actor = { ...MACHINE, assignee: "root", displayName: "root", subject: "root", admin: true };

function actorFor(person: Person): Actor {
  return {
    ...MACHINE,
    person,
    assignee: person.assignee,
    displayName: person.assignee,
    subject: person.assignee,
    machine: false,
  };
}

function personCalled(name: string, id: PersonId): Person {
  return { id, assignee: name, foldedNames: [foldName(name)], displayName: null, disabled: false, machine: false };
}

/** A policy document that says something about everything that counts votes. */
function policyDocument(dice: Dice): JsonObject {
  const count = 1 + dice.below(3);
  const isParallel = dice.chance(0.3);
  return {
    policy_key: "deploy.production",
    name: "Deploy to production",
    artifact_type: "release",
    forbid_self_approval: dice.chance(0.5),
    forbid_repeat_approvers: dice.chance(0.4),
    ...(dice.chance(0.3) ? { request_ttl_hours: 1 + dice.below(20) } : {}),
    ...(dice.chance(0.3) ? { admin_override: dice.pick(["allow", "reason", "off"]) } : {}),
    grant: dice.chance(0.8) ? { ttl_minutes: 60, uses: dice.chance(0.5) ? 1 + dice.below(3) : null } : {},
    stages: Array.from({ length: count }, (_, index) => stageDocument(dice, index + 1, isParallel)),
  };
}

function stageDocument(dice: Dice, order: number, isParallel: boolean): JsonObject {
  const size = 2 + dice.below(4);
  const names = [...NAMES].sort(() => dice.next() - 0.5).slice(0, size);
  const rules = names.map((name, index) => ({
    rule_type: "user",
    rule_value: { user_id: name },
    ...(index > 0 && dice.chance(0.1) ? { kind: "observer" } : {}),
    ...(dice.chance(0.15) ? { required: true } : {}),
  }));
  const mode = dice.pick(["all", "any-n", "any-n", "percentage", "quorum"]);
  return {
    stage_order: order,
    name: `Stage ${order}`,
    mode,
    ...(mode === "percentage" ? { mode_value: 1 + dice.below(100) } : {}),
    ...(mode === "any-n" || mode === "quorum" ? { mode_value: 1 + dice.below(2) } : {}),
    ...(dice.chance(0.1) ? { min_approvals: 2 } : {}),
    ...(dice.chance(0.2) ? { abstain: dice.pick(["neutral", "against"]) } : {}),
    ...(dice.chance(0.2) ? { reject: dice.pick(["veto", "vote"]) } : {}),
    ...(isParallel ? { parallel_group: 1 } : {}),
    ...(dice.chance(0.1) ? { skip_if: { "==": [1, 1] } } : {}),
    ...(dice.chance(0.2) ? { on_empty: dice.pick(["skip", "block"]) } : {}),
    ...(dice.chance(0.3) ? breachMembers(dice) : {}),
    ...(dice.chance(0.3) ? { assurance: dice.pick(["session", "mfa", "signed"]) } : {}),
    rules,
  };
}

function breachMembers(dice: Dice): JsonObject {
  const onBreach = dice.pick(["notify", "auto_approve", "auto_reject", "escalate"]);
  const escalating = { escalation_rules: [{ rule_type: "user", rule_value: { user_id: dice.pick(NAMES) } }] };
  return { sla_hours: 1 + dice.below(8), on_breach: onBreach, ...(onBreach === "escalate" ? escalating : {}) };
}

function payloadOf(dice: Dice, gate: string): JsonObject {
  const salt = text64(dice.bytes(16));
  if (gate === "deploy") {
    const images = Array.from({ length: dice.below(3) }, () => `sha256:${dice.hex(32)}`);
    const commit = dice.hex(20);
    if (/[0-7]$/.test(commit))
      return { v: 1, gate, salt, app: "myapp", rack: "production", git_commit: commit, images };
    // As the deploy gate binds it.
    const context = { scope: "production", app: "myapp", git_commit_hash: commit, images: {} };
    return { v: 1, gate, salt, artifact_type: "deploy", artifact_id: `production/myapp@${commit}`, context };
  }
  if (gate === "certificate") return { v: 1, gate, salt, sans: ["a.example.com"], spki: `sha256:${dice.hex(32)}` };
  // Numbers that are hard to spell, and letters that are hard to sort.
  const context = {
    amount: dice.below(10_000) / 100,
    tiny: 1e-7,
    big: 1e21,
    "\u20ac": "\u00f6",
    "\ud83d\ude00": "\ufb33",
    z: null,
  };
  return { v: 1, gate, salt, artifact_id: "batch-7", artifact_type: "release", requester: "ann", revision: 1, context };
}

function delegationsOf(
  dice: Dice,
  people: ReadonlyMap<string, Person>,
  newId: NewId,
): ReadonlyMap<PersonId, readonly Delegation[]> {
  const delegations = new Map<PersonId, readonly Delegation[]>();
  for (const person of people.values()) {
    const to = people.get(dice.pick(NAMES));
    if (to === undefined || to === person || !dice.chance(0.15)) continue;
    const span = { startsAt: START - HOUR, endsAt: START + 1_000 * HOUR, createdAt: START - HOUR };
    delegations.set(person.id, [{ id: newId(), from: person.id, to, ...span, policyKeys: [], artifactTypes: [] }]);
  }
  return delegations;
}

function factorOf(person: Person): string {
  return `fac_${sampleHash(`factor of ${person.id}`).slice(0, 32)}`;
}

function credentialOf(person: Person): string {
  return `sha256:${sampleHash(`credential of ${person.id}`)}`;
}

function idsFrom(dice: Dice): NewId {
  return <Name extends string>() => {
    const text = dice.hex(16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    if (!isId<Name>(text)) throw new Error(`${text} is no id`);
    return text;
  };
}

function dashless(prefix: string, id: string): string {
  return `${prefix}_${id.replaceAll("-", "")}`;
}

function digestOf(document: JsonObject): string {
  return `sha256:${Buffer.from(nodeSha256(Buffer.from(canonicalJson(document)))).toString("hex")}`;
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function decisionOf(value: JsonValue | undefined): DecisionStatement["decision"] {
  return value === "reject" || value === "abstain" ? value : "approve";
}
