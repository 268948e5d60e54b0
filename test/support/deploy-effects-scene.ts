/**
 * Deploy approvals as the worker finds them: made through the engine, with the record beside, in an application whose CI and version
 * control are simulators. An effect is decided and attempted here one by one, or by the server's own loop.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { activatePolicy } from "../../src/app/activate-policy.ts";
import { createPolicy } from "../../src/app/create-policy.ts";
import { decideTask } from "../../src/app/decide-task.ts";
import { newEffect } from "../../src/app/effects/new-effect.ts";
import { policyCreateSchema } from "../../src/contract/policy.ts";
import { describe as entry } from "../../src/app/entry-writer.ts";
import { cancelCommand } from "../../src/app/cancel-request.ts";
import { revokeGrantCommand, useGrantCommand } from "../../src/app/grant-act.ts";
import { ledgerId } from "../../src/app/ledger-names.ts";
import { recordRequest } from "../../src/app/record-request.ts";
import { createRequest } from "../../src/core/create-request.ts";
import { factsNeeded } from "../../src/core/facts.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Actor } from "../../src/app/admitted-actor.ts";
import { isRefusal, type Refusal } from "../../src/core/refusal.ts";
import type { Request } from "../../src/core/request.ts";
import type { MailParts } from "../../src/main/effect-works.ts";
import { deployEffectWorks } from "../../src/main/deploy-effects.ts";
import { buildDeploy, type BuiltDeploy } from "../../src/main/build-deploy.ts";
import type { EffectWorks } from "../../src/main/keep-effects.ts";
import type { DeployApprovalRecord } from "../../src/ports/deploy-records.ts";
import type { EffectKind, EffectOutcome, EffectRecord } from "../../src/ports/effects.ts";
import { recordsBy } from "../../src/ports/records.ts";
import { done } from "./race-world.ts";
import { initialize, openApplication, type TestApplication } from "./test-application.ts";

export const REPO = "MyOrg/myapp";
export const SCOPE = "production";
export const APP = "myapp";

export interface SceneOptions {
  /** `CIRCLECI_TOKEN`, `GITHUB_API_URL` and so on. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of the app. */
  readonly settings: JsonObject;
  readonly mail?: MailParts;
}

export class DeployEffectsScene {
  readonly at: TestApplication;
  readonly built: BuiltDeploy;
  readonly settings: Record<string, JsonObject[string]>;
  readonly works: EffectWorks;
  readonly ann: Actor;
  readonly ci: Actor;
  readonly #policy: string;

  private constructor(
    parts: Pick<DeployEffectsScene, "at" | "built" | "settings" | "works" | "ann" | "ci">,
    policy: string,
  ) {
    this.at = parts.at;
    this.built = parts.built;
    this.settings = parts.settings;
    this.works = parts.works;
    this.ann = parts.ann;
    this.ci = parts.ci;
    this.#policy = policy;
  }

  static async open(url: string, options: SceneOptions): Promise<DeployEffectsScene> {
    const orgId = await initialize(url);
    let clock = (): number => Date.now();
    const settings: Record<string, JsonObject[string]> = { vcs_repo: REPO, ...options.settings };
    const built = buildDeploy({
      ...{ environment: options.environment, clock: () => clock(), webhookKey: randomBytes(32) },
      // Read anew each time, so that a test may set another value.
      settings: Object.keys(settings).map((key) => ({
        ...{ scope: null, app: APP, key, envVar: `RGW_APP_MYAPP_SETTING_${key.toUpperCase()}` },
        get value() {
          return settings[key] ?? null;
        },
      })),
      racks: { all: () => [], find: () => undefined },
      guardedFetch: (address, init) => fetch(address, init),
    });
    const at = openApplication(url, { orgId, deploy: built.parts });
    clock = at.app.clock;
    const [ann, ci] = [await at.person("ann"), await at.person("ci", { machine: true, clientId: "ci" })];
    await at.person("ben");
    const works = deployEffectWorks(at.app, options.mail ?? null);
    // What is kept in memory about settings ends when one changes, as with those that people change.
    const changeable = new Proxy(settings, {
      set(target, key, value: JsonObject[string]) {
        at.app.deploy.settings.drop();
        return Reflect.set(target, key, value);
      },
    });
    return new DeployEffectsScene({ at, built, settings: changeable, works, ann, ci }, await activePolicy(at));
  }

  async close(): Promise<void> {
    await this.at.close();
    await this.built.close();
  }

  /** A request that waits for ann. */
  async ask(changed: Partial<DeployApprovalRecord> = {}): Promise<Request> {
    const { app } = this.at;
    const made = await app.store.submit<Request | Refusal>({
      name: "create_deploy_approval",
      needs: { activePolicyKeys: [this.#policy] },
      gather: (world) => factsNeeded(world.activePolicy(this.#policy)?.policy.stages ?? [], {}),
      carryOut: (world, facts) => {
        const active = world.activePolicy(this.#policy);
        if (active === undefined) throw new Error("no policy");
        const { id: policyId, key, version, digest } = active.version;
        const pin = { id: policyId, key, version, digest };
        const id = world.newId<"request">();
        const record = newRecord(
          this.at,
          { id, person: this.ann.person?.id ?? null },
          { createdAt: world.now, ...changed },
        );
        const artifactId = `${record.scope}/${record.app}@${record.commit}`;
        const step = createRequest(
          {
            ...{
              id,
              orgId: app.orgId,
              gate: "deploy",
              liveKey: `deploy:${id}`,
              actor: this.ci,
              artifactType: "deploy",
            },
            ...{ artifactId, requester: null, expiresInHours: null, expiresInMinutes: 60 },
            context: { source_tree: record.facts.commit?.treeId ?? null },
            ...{ salt: "c2FsdA", digest: `sha256:${"a".repeat(64)}` },
          },
          { policy: active.policy, pin, facts, settings: app.settings, now: world.now },
        );
        if (isRefusal(step)) return { answer: step, changes: { entries: [] } };
        const recording = {
          before: null,
          after: step.request,
          events: step.events,
          actor: this.ci,
          newId: world.newId,
        };
        const changes = recordRequest(recording, app);
        return {
          answer: step.request,
          changes: { ...changes, records: { ...changes.records, deployApproval: [record] } },
        };
      },
    });
    return must(made);
  }

  async approved(changed: Partial<DeployApprovalRecord> = {}): Promise<Request> {
    const request = await this.ask(changed);
    await this.decide(request, "approve");
    return request;
  }

  async decide(request: Request, action: "approve" | "reject", comment: string | null = null): Promise<void> {
    const task = request.stages.flatMap(({ tasks }) => tasks).find(({ assignee }) => assignee === "ann");
    if (task === undefined) throw new Error("no task");
    const input = { taskId: task.id, action, comment, attachmentsRef: null, reasonCode: null, digest: request.digest };
    const answer = await decideTask(this.at.app, this.ann, input, null);
    if ("refusal" in answer) throw new Error(answer.message);
  }

  /** By somebody who takes an approval back. */
  async revoke({ id }: Request, comment: string): Promise<void> {
    const input = { requestId: id, by: "gate", reason: "rejected", comment } as const;
    must(await this.at.app.store.submit(revokeGrantCommand(this.at.app, this.ann, input)));
  }

  async supersede({ id }: Request): Promise<void> {
    const gate = { cause: "superseded", supersededBy: null } as const;
    must(await this.at.app.store.submit(cancelCommand(this.at.app, this.ann, { requestId: id, reason: null, gate })));
  }

  async cancel({ id }: Request): Promise<void> {
    const gate = { cause: null, supersededBy: null } as const;
    must(
      await this.at.app.store.submit(
        cancelCommand(this.at.app, this.ann, { requestId: id, reason: "wrong branch", gate }),
      ),
    );
  }

  async deploy({ id, digest }: Request): Promise<void> {
    const input = { requestId: id, by: "gate", digest, action: "convox:release:promote" } as const;
    must(await this.at.app.store.submit(useGrantCommand(this.at.app, this.ci, input)));
  }

  async record({ id }: Pick<Request, "id">): Promise<DeployApprovalRecord> {
    const [record] = await this.at.app.reader.records(recordsBy("deployApproval", "id", [id]));
    if (record === undefined) throw new Error("no record");
    return record;
  }

  /** Written as a command writes it; nobody attempts it yet. */
  async decideEffect(
    kind: EffectKind,
    { id: requestId }: Pick<Request, "id">,
    { event = "", payload = {}, endsAt = null }: { event?: string; payload?: JsonObject; endsAt?: number | null } = {},
  ): Promise<EffectRecord> {
    const { app } = this.at;
    const id = app.newId();
    const lane = `${kind}:${requestId}:${id}`;
    const effect = newEffect({
      ...{ id, orgId: app.orgId, kind, lane, position: 1, requestId, at: app.clock(), endsAt },
      payload: { event, sequence: 1, ...payload },
    });
    await this.#write(effect);
    return effect;
  }

  /** One attempt of one effect, and what became of it. */
  async attempt(
    kind: EffectKind,
    request: Pick<Request, "id">,
    said: Parameters<DeployEffectsScene["decideEffect"]>[2] = {},
  ): Promise<EffectOutcome> {
    return this.attemptOf(await this.decideEffect(kind, request, said));
  }

  async attemptOf(effect: EffectRecord, attempts = 1): Promise<EffectOutcome> {
    const work = this.works[effect.kind];
    if (work === undefined) throw new Error(`nobody does ${effect.kind}`);
    const outcome = await work.handle({ ...effect, attempts }, AbortSignal.timeout(30_000));
    if (outcome.kind === "done") {
      await this.#write({ ...effect, state: "done", attempts, result: outcome.result, doneAt: this.at.app.clock() });
    }
    return outcome;
  }

  async entries(kind: string): Promise<readonly string[]> {
    const sql = "select text from ledger_entries where kind = $1 order by seq";
    return (await this.at.pool.query<{ text: string }>(sql, [kind])).rows.map(({ text }) => text);
  }

  async #write(effect: EffectRecord): Promise<void> {
    const { app } = this.at;
    const told = entry(
      {
        ...{ org: ledgerId("org", app.orgId), kind: "setting.changed", actor: "sys_test", credential: null },
        ...{ resource: null, request: null, data: { key: "test", old: null, new: null } },
      },
      app,
    );
    const changes = { entries: [told], records: { effect: [effect] } };
    await app.store.submit({ name: "write_effect", needs: {}, carryOut: () => ({ answer: null, changes }) });
  }
}

function must<Value extends object>(value: Value | Refusal): Value {
  if (isRefusal(value)) throw new Error(value.message);
  return value;
}

async function activePolicy(at: TestApplication): Promise<string> {
  const key = `deploy-${randomUUID()}`;
  const admin = await at.admin();
  const rules = ["ann", "ben"].map((name) => ({ rule_type: "user", rule_value: { user_id: name } }));
  const stages = [{ name: "Approval", stage_order: 1, mode: "any-n", mode_value: 1, rules }];
  const document = { policy_key: key, name: key, artifact_type: "deploy", stages, grant: { uses: 1, ttl_minutes: 15 } };
  done(await createPolicy(at.app, admin, policyCreateSchema.parse(document), null));
  done(await activatePolicy(at.app, admin, { key, version: 1 }, null));
  return key;
}

function newRecord(
  { app: { orgId } }: TestApplication,
  { id, person }: { readonly id: string; readonly person: string | null },
  changed: Partial<DeployApprovalRecord> & { readonly createdAt: number },
): DeployApprovalRecord {
  return {
    ...{ id, requestId: id, orgId, scope: SCOPE, app: APP, commit: "a".repeat(40), branch: "feature" },
    ...{ message: "Please deploy", ciMetadata: null, images: {}, targetTokenId: null, targetPersonId: person },
    ...{ createdByTokenId: null, createdByPersonId: person, version: 0, warnings: [], ciJoined: [] },
    facts: {
      ...{ repository: REPO, isDefaultBranch: false, commit: null, pullRequest: null, activeRelease: null },
      ...{ activeCommit: null, changes: null, commitUrl: null, branchUrl: null, prUrl: null, unmatchedAuthors: [] },
      workload: null,
    },
    ci: { provider: "circleci", ready: true, problems: [], url: null },
    sourceTree: { state: "pending", treeId: null },
    ...{ sourceDigest: null, objectKey: null, objectUrl: null, uploadCount: 0, builds: [], releaseId: null },
    ...{ promotes: [], processIds: [], execCommands: {}, commands: [], deployedAt: null, deployedByTokenId: null },
    ...{ deployedByPersonId: null, supersededBy: null, imageDigests: [], imageChange: null },
    ...{ rackState: null, drift: null },
    ...changed,
  };
}
