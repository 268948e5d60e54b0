/**
 * The deploy gate before a simulated rack: a server that listens, people, CI tokens, and approvals made through the engine itself.
 *
 *     const scene = await openDeployScene(database.url);
 *     const ci = await scene.ciToken();
 *     const approval = await scene.approved(ci, { commit: COMMIT });
 *     const answer = await scene.call(ci, { method: "POST", path: "/apps/myapp/builds", headers: FORM, body });
 */
import { randomUUID } from "node:crypto";
import { openConvoxRacks } from "../../src/adapters/convox/convox-racks.ts";
import type { SocketTimes } from "../../src/adapters/convox/rack-settings.ts";
import { createRequest } from "../../src/app/create-request.ts";
import { describe as described } from "../../src/app/entry-writer.ts";
import { ledgerId } from "../../src/app/ledger-names.ts";
import { isId } from "../../src/core/ids.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import { roleNamed } from "../../src/core/roles.ts";
import type { DeployParts } from "../../src/app/deploy/deploy-parts.ts";
import type { DeployApprovalRecord } from "../../src/ports/deploy-records.ts";
import { recordsBy } from "../../src/ports/records.ts";
import type { RackCertificate } from "../../src/ports/rack.ts";
import { callOver, type Answer, type Call } from "./http-call.ts";
import { objectIn, textAt } from "./json-answer.ts";
import { machineOf, tokenOf, type MadeToken } from "./machine-tokens.ts";
import { openRackSimulator, type RackSimulator, type RackSimulatorOptions } from "./rack-simulator/rack-simulator.ts";
import { RawWebSocket } from "./rack-simulator/raw-web-socket.ts";
import { must, signedIn, signedInAs, TestBrowser } from "./signed-in.ts";
import { totpCode } from "./software-authenticator.ts";
import { as, asAdmin, openServer, type TestServer, type TestServerOptions } from "./test-server.ts";

export const COMMIT = "4f0c1a2b3d4e5f60718293a4b5c6d7e8f9012345";
export const OTHER_COMMIT = "a".repeat(40);
export const FORM = { "Content-Type": "application/x-www-form-urlencoded" } as const;
export const MANIFEST = `services:\n  web:\n    image: myorg/app:${COMMIT}\n`;
const ACTIVE_MANIFEST = "services:\n  web:\n    image: myorg/app:v1\n";

export interface DeploySceneOptions {
  readonly simulator?: RackSimulatorOptions;
  readonly server?: TestServerOptions["server"];
  readonly application?: TestServerOptions["application"];
  /** App settings and global ones that the environment gives; keys as in section 17. */
  readonly settings?: Readonly<Record<string, JsonValue>>;
  readonly globals?: Readonly<Record<string, JsonValue>>;
  readonly deploy?: Partial<DeployParts>;
  readonly socketTimes?: SocketTimes;
}

export interface MadeApproval {
  readonly id: string;
  readonly requestId: string;
  readonly digest: string;
  readonly taskId: string;
}

export interface ApprovalOptions {
  readonly commit?: string;
  readonly app?: string;
  readonly scope?: string;
  /** False leaves it pending. */
  readonly isApproved?: boolean;
  readonly record?: Partial<DeployApprovalRecord>;
}

export class DeployScene {
  readonly at: TestServer;
  readonly base: string;
  readonly simulator: RackSimulator;
  readonly other: RackSimulator;
  readonly admin: TestBrowser;
  readonly #close: () => Promise<void>;
  #hasPolicy = false;
  readonly #sockets: RawWebSocket[] = [];

  constructor(
    parts: Pick<DeployScene, "at" | "base" | "simulator" | "other" | "admin"> & { readonly close: () => Promise<void> },
  ) {
    this.at = parts.at;
    this.base = parts.base;
    this.simulator = parts.simulator;
    this.other = parts.other;
    this.admin = parts.admin;
    this.#close = parts.close;
  }

  /** A token of role cicd whose machine is a service account. */
  ciToken(limits: JsonObject = {}): Promise<MadeToken> {
    return this.token([...(roleNamed("cicd")?.permissions ?? [])], limits);
  }

  async token(scopes: readonly string[], limits: JsonObject = {}): Promise<MadeToken> {
    const machineId = await machineOf(this.admin, { owners: [this.admin.personId] });
    return tokenOf(this.admin, machineId, {
      scopes: [...scopes],
      ...(Object.keys(limits).length === 0 ? {} : { limits }),
    });
  }

  person(roles: readonly string[]): Promise<TestBrowser> {
    return signedInAs(this.at, this.admin, { roles });
  }

  /** A command line where this person signed in, and proved a factor just now. */
  async terminal(person: TestBrowser): Promise<Pick<MadeToken, "bearer">> {
    const offered = must(await person.post("/me/factors/totp/options", {}, { fresh: true }), 201);
    const secret = textAt(offered, "secret");
    const code = (): string => totpCode(secret, this.at.app.clock());
    must(await person.post("/me/factors/totp", { ceremony: offered["ceremony"], code: code(), name: "Phone" }), 201);
    const anonymous = new TestBrowser(this.at, { address: person.address });
    const post = async (path: string, body: JsonObject): Promise<JsonObject> =>
      must(await anonymous.call("POST", `root:/api/v1/auth/${path}`, body), 200);
    const started = await post("cli/start", {});
    const state = textAt(started, "state");
    must(await person.post(`/auth/cli/waiting/${state}`), 204);
    const done = await post("cli/complete", { state, code_verifier: textAt(started, "code_verifier") });
    const bearer = { authorization: `Bearer ${textAt(done, "token")}` };
    // Of a new step: the one that confirmed the authenticator is spent.
    this.at.advance(30_000);
    const verified = await this.at.server.inject({
      ...{ method: "POST", url: "/api/v1/auth/mfa/verify", remoteAddress: person.address, headers: bearer },
      payload: { code: code() },
    });
    must(verified, 200);
    return { bearer };
  }

  call(by: Pick<MadeToken, "bearer"> | null, call: Call, prefix = "/api/v1/rack-proxy"): Promise<Answer> {
    const headers = { ...(by?.bearer ?? {}), ...call.headers };
    return callOver(this.base, { ...call, headers, path: `${prefix}${call.path}` });
  }

  /** `409 promote_in_progress`, or the bare status. */
  async outcome(by: Pick<MadeToken, "bearer"> | null, call: Call, prefix?: string): Promise<string> {
    const answer = await this.call(by, call, prefix);
    const code = answer.headers["x-countersign-code"];
    return [String(answer.status), ...(typeof code === "string" ? [code] : [])].join(" ");
  }

  async socket(
    by: Pick<MadeToken, "bearer">,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawWebSocket> {
    const { authorization } = by.bearer;
    const given = { Authorization: authorization, ...headers };
    const socket = await RawWebSocket.open(this.base, `/api/v1/rack-proxy${path}`, given);
    this.#sockets.push(socket);
    return socket;
  }

  /** Asked for by the token, approved by somebody else. */
  async approved(ci: MadeToken, options: ApprovalOptions = {}): Promise<MadeApproval> {
    const { commit = COMMIT, app = "myapp", scope = "production" } = options;
    const policyKey = await this.#policy();
    const actor = await this.at.person(`asker-${randomUUID()}`);
    const made = await createRequest(
      this.at.app,
      actor,
      {
        ...{ policyKey, artifactType: "thing", artifactId: `${scope}/${app}@${commit} ${randomUUID()}` },
        ...{ context: {}, requester: null, expiresInHours: 1 },
      },
      null,
    );
    if (isRefusal(made) || !("id" in made)) throw new Error("no request");
    const task = made.stages[0]?.tasks[0];
    if (task === undefined) throw new Error("no task");
    // The request's own id is the public one.
    const { id } = made;
    await this.#record(id, made.id, { ci, commit, app, scope, more: options.record ?? {} });
    const approval = { id, requestId: made.id, digest: made.digest, taskId: task.id };
    if (options.isApproved !== false) await this.approve(approval);
    return approval;
  }

  async approve({ taskId, digest }: Pick<MadeApproval, "taskId" | "digest">): Promise<void> {
    const answer = await this.at.server.inject({
      ...{ method: "POST", url: `/v1/tasks/${taskId}/decision`, headers: as("ann") },
      payload: { action: "approve", digest },
    });
    must(answer, 201);
  }

  async stored(approval: Pick<MadeApproval, "id">): Promise<DeployApprovalRecord> {
    const [record] = await this.at.app.reader.records(recordsBy("deployApproval", "id", [approval.id]));
    if (record === undefined) throw new Error("no record");
    return record;
  }

  /** State of the grant: `active`, `used`, `expired`, `revoked`. */
  async grantState({ requestId }: Pick<MadeApproval, "requestId">): Promise<string> {
    const { rows } = await this.at.pool.query<{ state: string }>("select state from grants where request_id = $1", [
      requestId,
    ]);
    return rows[0]?.state ?? "none";
  }

  /** Kinds of the entries of this request, or of all, in order. */
  async kinds(approval: Pick<MadeApproval, "requestId"> | null = null): Promise<readonly string[]> {
    return (await this.entries(approval)).map((entry) => textAt(entry, "kind"));
  }

  async entries(approval: Pick<MadeApproval, "requestId"> | null = null): Promise<readonly JsonObject[]> {
    const { rows } = await this.at.pool.query<{ text: string }>(
      "select text from ledger_entries where $1::text is null or request = $1 order by seq",
      [approval === null ? null : `req_${approval.requestId.replaceAll("-", "")}`],
    );
    return rows.map(({ text }) => objectIn(text));
  }

  /** What the entries of this kind commit to as their circumstances, the newest last. */
  async circumstances(kind: string): Promise<readonly JsonObject[]> {
    const { rows } = await this.at.pool.query<{ value: JsonValue }>(
      `select o.value from ledger_openings o join ledger_entries e on e.seq = o.seq
       where e.kind = $1 and o.path = '/ctx' order by e.seq`,
      [kind],
    );
    return rows.map(({ value }) => value).filter(isJsonObject);
  }

  /** What reached the rack since the last time, as `POST /apps/myapp/builds`. */
  takeCalls(): readonly string[] {
    const calls = this.simulator.calls.map(({ method, path, isSocket }) => `${isSocket ? "SOCKET" : method} ${path}`);
    this.simulator.forgetCalls();
    return calls;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.splice(0)) await socket.close();
    await this.#close();
  }

  /** The window of the approval is the setting's, whatever the policy says (deploy R-EXPIRY-1). */
  async #policy(): Promise<string> {
    const key = "deploys";
    if (this.#hasPolicy) return key;
    this.#hasPolicy = true;
    const rules = [{ rule_type: "user", rule_value: { user_id: "ann" } }];
    const stages = [{ name: "Only", stage_order: 1, mode: "any-n", rules }];
    const grant = { uses: 1, ttl_minutes: 15 };
    const document = { policy_key: key, name: key, artifact_type: "thing", stages, grant };
    const post = (url: string, payload: object) =>
      this.at.server.inject({ method: "POST", url: `/v1${url}`, headers: asAdmin, payload });
    must(await post("/policies", document), 201);
    must(await post(`/policies/${key}/versions/1/activate`, {}), 200);
    return key;
  }

  async #record(
    id: string,
    requestId: string,
    about: {
      readonly ci: MadeToken;
      readonly commit: string;
      readonly app: string;
      readonly scope: string;
      readonly more: Partial<DeployApprovalRecord>;
    },
  ): Promise<void> {
    const { app } = this.at;
    if (!isId<"request">(requestId)) throw new Error("no id");
    const record: DeployApprovalRecord = {
      ...{ id, requestId, orgId: app.orgId, scope: about.scope, app: about.app, commit: about.commit, branch: "main" },
      ...{ message: "Deploy it", ciMetadata: null, images: {}, targetTokenId: about.ci.id, targetPersonId: null },
      ...{
        createdByTokenId: about.ci.id,
        createdByPersonId: null,
        createdAt: app.clock(),
        version: 1,
        facts: NO_FACTS,
      },
      ...{ ci: { provider: null, ready: false, problems: [], url: null }, ciJoined: [], warnings: [] },
      ...{ sourceTree: { state: "unavailable", why: "no repository configured" }, sourceDigest: null, objectKey: null },
      ...{
        objectUrl: null,
        uploadCount: 0,
        builds: [],
        releaseId: null,
        promotes: [],
        processIds: [],
        execCommands: {},
      },
      ...{ commands: [], deployedAt: null, deployedByTokenId: null, deployedByPersonId: null, supersededBy: null },
      ...{ imageDigests: [], imageChange: null, rackState: null, drift: null },
      ...about.more,
    };
    await app.store.submit({
      name: "test_deploy_approval",
      needs: {},
      carryOut: () => {
        const frame = {
          ...{ org: ledgerId("org", app.orgId), kind: "setting.changed", actor: "sys_server", credential: null },
          ...{ resource: null, request: null, data: { key: "test", old: null, new: null } },
        };
        return { answer: null, changes: { entries: [described(frame, app)], records: { deployApproval: [record] } } };
      },
    });
  }
}

const NO_FACTS: DeployApprovalRecord["facts"] = {
  ...{
    repository: null,
    isDefaultBranch: null,
    commit: null,
    pullRequest: null,
    activeRelease: null,
    activeCommit: null,
  },
  ...{ changes: null, commitUrl: null, branchUrl: null, prUrl: null, unmatchedAuthors: [], workload: null },
};

export async function openDeployScene(url: string, options: DeploySceneOptions = {}): Promise<DeployScene> {
  const simulator = await openRackSimulator(options.simulator ?? {});
  const other = await openRackSimulator();
  for (const each of [simulator, other]) {
    each.addApp({ name: "myapp", manifest: ACTIVE_MANIFEST, env: { PORT: "3000", API_TOKEN: "hush" } });
    each.addApp({ name: "other", manifest: ACTIVE_MANIFEST });
  }
  const settingsOf = (rack: RackSimulator, name: string) => ({
    info: { name, alias: name, displayName: name, host: rack.url, tls: "system", enabled: true } as const,
    ...{ username: rack.username, token: rack.password, authoritiesPem: null },
  });
  const racks = openConvoxRacks([settingsOf(simulator, "production"), settingsOf(other, "staging")], {
    pins: { read: () => Promise.resolve(null), write: (_: string, given: RackCertificate) => Promise.resolve(given) },
    ...(options.socketTimes === undefined ? {} : { socketTimes: options.socketTimes }),
  });
  const at = await openServer(url, {
    ...(options.server === undefined ? {} : { server: options.server }),
    application: { ...options.application, deploy: { racks, ...options.deploy } },
  });
  const base = await at.server.listen({ host: "127.0.0.1", port: 0 });
  const admin = await signedIn(at);
  const scene = new DeployScene({
    ...{ at, base, simulator, other, admin },
    close: async () => {
      await at.close();
      await racks.close();
      await simulator.close();
      await other.close();
    },
  });
  const place = { orgId: at.app.orgId, scope: "production", updatedBy: "test", updatedAt: at.app.clock() };
  const rows = [
    ...Object.entries(options.settings ?? {}).map(([key, value]) => ({ ...place, app: "myapp", key, value })),
    ...Object.entries(options.globals ?? {}).map(([key, value]) => ({ ...place, app: "", key, value })),
  ];
  if (rows.length > 0) await setSettings(scene, rows);
  simulator.forgetCalls();
  return scene;
}

interface SettingRow {
  readonly orgId: string;
  readonly scope: string;
  readonly app: string;
  readonly key: string;
  readonly value: JsonValue;
  readonly updatedBy: string;
  readonly updatedAt: number;
}

/** As if an administrator had set it for every app of the rack. */
export function setGlobal(scene: DeployScene, key: string, value: JsonValue): Promise<void> {
  const { orgId, clock } = scene.at.app;
  const place = { orgId, scope: "production", updatedBy: "test", updatedAt: clock() };
  return setSettings(scene, [{ ...place, app: "", key, value }]);
}

async function setSettings({ at: { app } }: DeployScene, rows: readonly SettingRow[]): Promise<void> {
  await app.store.submit({
    name: "test_deploy_settings",
    needs: {},
    carryOut: () => {
      const frame = {
        ...{ org: ledgerId("org", app.orgId), kind: "setting.changed", actor: "sys_server", credential: null },
        ...{ resource: null, request: null, data: { key: "test", old: null, new: null } },
      };
      return { answer: null, changes: { entries: [described(frame, app)], records: { deploySetting: rows } } };
    },
  });
  app.deploy.settings.drop();
}
