/**
 * A server on which decisions are proven: policies of every assurance, people with passkeys, and a browser's way from a view
 * over a statement to a signed decision. The ledger's origin is the server's own, so that evidence verifies offline.
 */
import { DEVELOPMENT_ISSUER } from "../../src/http/token-verification/development-verifier.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { isJsonObject } from "../../src/core/json.ts";
import { bodyOf, textAt } from "./json-answer.ts";
import { must, signedIn, signedInAs, type BrowserAnswer, type TestBrowser } from "./signed-in.ts";
import type { Spoiled } from "./software-authenticator.ts";
import { asAdmin, openServer, type TestServer, type TestServerOptions } from "./test-server.ts";

/** A server that is reached under the name that its ledger bears. */
export function openSigningServer(url: string, options: TestServerOptions = {}): Promise<TestServer> {
  const identity = { publicUrl: "http://localhost", ...options.application?.identity };
  return openServer(url, { ...options, application: { ...options.application, identity } });
}

export interface Asked {
  readonly requestId: string;
  readonly digest: string;
  /** By assignee. */
  readonly tasks: ReadonlyMap<string, string>;
}

export class SigningScene {
  readonly at: TestServer;
  readonly root: TestBrowser;
  readonly #people = new Map<string, TestBrowser>();

  private constructor(at: TestServer, root: TestBrowser) {
    this.at = at;
    this.root = root;
  }

  static async open(at: TestServer, ...names: readonly string[]): Promise<SigningScene> {
    const scene = new SigningScene(at, await signedIn(at));
    for (const name of names) scene.#people.set(name, await signedInAs(at, scene.root, { login: name }));
    return scene;
  }

  who(name: string): TestBrowser {
    const browser = this.#people.get(name);
    if (browser === undefined) throw new Error(`nobody is called ${name} here`);
    return browser;
  }

  /** A policy in force; each stage takes one approval of each of these people. */
  async policy(
    key: string,
    stages: readonly (JsonObject & { readonly people: readonly string[] })[],
    more: JsonObject = {},
  ): Promise<void> {
    await this.#call("POST", "/v1/policies", policyDocument(key, stages, more), 201);
    await this.#call("POST", `/v1/policies/${key}/versions/1/activate`, {}, 200);
  }

  async ask(policyKey: string, context: JsonObject = { amount: 12 }): Promise<Asked> {
    const payload = { policy_key: policyKey, artifact_type: "payout", artifact_id: "batch-7", context };
    const made = await this.#call("POST", "/v1/requests", payload, 201);
    const tasks = listOf(made["tasks"]).map((task) => [textAt(task, "assignee"), textAt(task, "id")] as const);
    return { requestId: textAt(made, "request_id"), digest: textAt(made, "digest"), tasks: new Map(tasks) };
  }

  taskOf(asked: Asked, name: string): string {
    const id = asked.tasks.get(name);
    if (id === undefined) throw new Error(`${name} has no task`);
    return id;
  }

  async view(browser: TestBrowser, taskId: string): Promise<JsonObject> {
    return must(await browser.post(`/tasks/${taskId}/view`), 201);
  }

  /** View and statement. */
  async statement(browser: TestBrowser, taskId: string, said: JsonObject = {}): Promise<JsonObject> {
    const view = textAt(await this.view(browser, taskId), "id");
    return must(await browser.post(`/tasks/${taskId}/statement`, { view, action: "approve", ...said }), 201);
  }

  /** The whole way, as the console goes it; what is spoiled is spoiled in the authenticator's answer. */
  async sign(
    browser: TestBrowser,
    taskId: string,
    said: JsonObject = {},
    spoiled: Spoiled = {},
  ): Promise<BrowserAnswer> {
    const statement = await this.statement(browser, taskId, said);
    return this.decideSigned(browser, taskId, said, signatureOf(browser, statement, spoiled));
  }

  decideSigned(browser: TestBrowser, taskId: string, said: JsonObject, signature: JsonObject): Promise<BrowserAnswer> {
    return browser.post(`/tasks/${taskId}/decision`, { action: "approve", ...said, signature });
  }

  async entries(kind: string): Promise<readonly JsonObject[]> {
    await this.at.app.refusals.settled();
    const sql = "select text from ledger_entries where kind = $1 order by seq";
    const { rows } = await this.at.pool.query<{ text: string }>(sql, [kind]);
    return rows.map(({ text }) => bodyOf({ body: text }));
  }

  async newVersion(key: string, stages: Parameters<SigningScene["policy"]>[1], more: JsonObject = {}): Promise<void> {
    const made = await this.#call("PUT", `/v1/policies/${key}`, policyDocument(key, stages, more), 201);
    await this.#call("POST", `/v1/policies/${key}/versions/${JSON.stringify(made["version"])}/activate`, {}, 200);
  }

  async #call(method: "POST" | "PUT", url: string, payload: JsonObject, status: number): Promise<JsonObject> {
    return must(await this.at.server.inject({ method, url, headers: { ...asAdmin }, payload }), status);
  }
}

export function policyDocument(
  key: string,
  stages: readonly (JsonObject & { readonly people: readonly string[] })[],
  more: JsonObject,
): JsonObject {
  return {
    ...{ policy_key: key, name: `Policy ${key}`, artifact_type: "payout", ...more },
    stages: stages.map(({ people, ...stage }, index) => ({
      ...{ name: `Stage ${String(index + 1)}`, stage_order: index + 1, mode: "all", ...stage },
      rules: people.map((name) => ({ rule_type: "user", rule_value: { user_id: name } })),
    })),
  };
}

export function signatureOf(browser: TestBrowser, statement: JsonObject, spoiled: Spoiled = {}): JsonObject {
  return { statement: textAt(statement, "id"), response: browser.key.assert(statement["options"] ?? null, spoiled) };
}

export function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item: JsonValue) => isJsonObject(item)) : [];
}

/** The object at this place, which must be there. */
export function objectAt(value: JsonValue | undefined, ...path: readonly string[]): JsonObject {
  const found = path.reduce<JsonValue | undefined>(
    (inside, name) => (isJsonObject(inside) ? inside[name] : undefined),
    value,
  );
  if (!isJsonObject(found)) throw new Error(`no object at ${path.join(".")}`);
  return found;
}

/** The person's tokens of another issuer are theirs: what linking that identity leads to. */
export async function linkTokens(at: TestServer, personId: string, name: string): Promise<void> {
  await at.pool.query("insert into identities values ($1, $2, $3, now(), 0, gen_random_uuid())", [
    ...[DEVELOPMENT_ISSUER, name, personId],
  ]);
}
