/**
 * A server whose rack, GitHub and CircleCI are simulators, with people and tokens that have gone through the real routes, for
 * tests of deploy approval requests. Settings may be changed while it runs.
 */
import { randomBytes } from "node:crypto";
import { openConvoxRacks } from "../../src/adapters/convox/convox-racks.ts";
import { applyDueTimers } from "../../src/app/apply-due-timers.ts";
import { installManagedPolicies } from "../../src/app/install-managed-policies.ts";
import { isId } from "../../src/core/ids.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import type { EnvironmentSetting } from "../../src/gates/deploy/environment-settings.ts";
import { buildDeploy } from "../../src/main/build-deploy.ts";
import { managedPolicies } from "../../src/main/managed-policies.ts";
import type { ImageRegistries } from "../../src/ports/image-registries.ts";
import type { Racks } from "../../src/ports/rack.ts";
import { openCircleciSimulator, type CircleciSimulator } from "./circleci-simulator/circleci-simulator.ts";
import { openGithubSimulator, type GithubSimulator } from "./github-simulator/github-simulator.ts";
import { bodyOf, textAt } from "./json-answer.ts";
import { openRackSimulator, type RackSimulator } from "./rack-simulator/rack-simulator.ts";
import { must, signedIn, signedInAs, type BrowserAnswer, type InvitedPerson, type TestBrowser } from "./signed-in.ts";
import { openServer, type TestServer } from "./test-server.ts";

export const REPO = "MyOrg/myapp";
export const REQUESTS = "/deploy-approval-requests";
export const MINUTE = 60_000;
/** A factor decides a day after it was enrolled (identity R-FACT-9). */
const COOLED = 25 * 60 * MINUTE;
const MANIFEST = "services:\n  web:\n    image: registry.example.com/myapp:latest\n";

/** An API token of the deploy gate, as CI presents it. */
export class CiToken {
  readonly #at: TestServer;
  readonly id: string;
  readonly number: number;
  readonly authorization: string;

  constructor(at: TestServer, made: JsonObject) {
    this.#at = at;
    const { id, api_token: shown } = made;
    this.id = textAt(shown, "public_id");
    this.number = typeof id === "number" ? id : 0;
    this.authorization = `Bearer ${textAt(made, "token")}`;
  }

  async call(
    method: "GET" | "POST",
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<BrowserAnswer> {
    return this.#at.server.inject({
      ...{ method, url: `/api/v1${path}`, remoteAddress: "10.200.0.1" },
      headers: { authorization: this.authorization, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
  }
}

interface Outside {
  readonly rack: RackSimulator;
  readonly github: GithubSimulator;
  readonly circleci: CircleciSimulator;
  readonly racks: Racks & { close(): Promise<void> };
  readonly environment: EnvironmentSetting[];
}

export class DeployRequestsScene {
  readonly at: TestServer;
  readonly outside: Outside;
  readonly admin: TestBrowser;
  #commits = 0;

  private constructor(at: TestServer, outside: Outside, admin: TestBrowser) {
    this.at = at;
    this.outside = outside;
    this.admin = admin;
  }

  static async open(url: string, registries?: ImageRegistries): Promise<DeployRequestsScene> {
    const [rack, github] = [await openRackSimulator(), await openGithubSimulator()];
    const circleci = await openCircleciSimulator();
    for (const name of ["myapp", "other"]) rack.addApp({ name, manifest: MANIFEST, env: {} });
    const racks = openConvoxRacks(
      [
        {
          info: { ...{ name: "production", alias: "production", displayName: "Production" }, ...PLAIN, host: rack.url },
          ...{ username: rack.username, token: rack.password, authoritiesPem: null },
        },
      ],
      { pins: { read: () => Promise.resolve(null), write: (_rack, certificate) => Promise.resolve(certificate) } },
    );
    const environment: EnvironmentSetting[] = [];
    let clock = (): number => Date.now();
    const built = buildDeploy({
      environment: {
        ...{ GITHUB_TOKEN: github.token, GITHUB_API_URL: github.url },
        ...{ CIRCLECI_TOKEN: circleci.token, CIRCLECI_API_URL: circleci.url },
      },
      ...{ settings: environment, racks, clock: () => clock(), webhookKey: randomBytes(32) },
      guardedFetch: (address, init) => fetch(address, init),
      ...(registries === undefined ? {} : { registries }),
    });
    const managed = managedPolicies();
    const at = await openServer(url, { application: { deploy: built.parts, managedPolicies: managed } });
    clock = () => at.app.clock();
    await installManagedPolicies(at.app, managed);
    const admin = await signedIn(at);
    return new DeployRequestsScene(at, { rack, github, circleci, racks, environment }, admin);
  }

  async close(): Promise<void> {
    await this.at.close();
    const { rack, github, circleci, racks } = this.outside;
    await racks.close();
    await Promise.all([rack.close(), github.close(), circleci.close()]);
  }

  /** As if the operator had set the variable: of the app, or with null of every app. */
  set(key: string, value: JsonValue, app: string | null = "myapp"): void {
    const { environment } = this.outside;
    const before = environment.findIndex((one) => one.key === key && one.app === app);
    if (before >= 0) environment.splice(before, 1);
    if (value !== null) environment.push({ scope: null, app, key, value, envVar: `RGW_${key.toUpperCase()}` });
    this.at.app.deploy.settings.drop();
  }

  /** A token with the role `cicd` of a service account, or of the person with this address. */
  async token(about: JsonObject = {}): Promise<CiToken> {
    this.#commits += 1;
    const body = { name: `ci ${String(this.#commits)}`, role: "cicd", ...about };
    return new CiToken(this.at, must(await deployCall(this.admin, "POST", "/api-tokens", { body, fresh: true }), 200));
  }

  person(person: InvitedPerson): Promise<TestBrowser> {
    return signedInAs(this.at, this.admin, person);
  }

  /** Everybody's factors have cooled down, and everybody signs in again. */
  async cool(people: readonly TestBrowser[]): Promise<void> {
    this.at.advance(COOLED);
    for (const browser of people) {
      browser.forgetCookies();
      must(await browser.signIn(), 201);
    }
  }

  /** Another one each time. */
  commit(): string {
    this.#commits += 1;
    return this.#commits.toString(16).padStart(40, "a");
  }

  body(changed: JsonObject = {}): JsonObject {
    return { message: "Deploy it", git_commit_hash: this.commit(), git_branch: "feature", app: "myapp", ...changed };
  }

  /** Made by this token, and as it was answered. */
  async asked(token: CiToken, changed: JsonObject = {}): Promise<JsonObject> {
    return must(await token.call("POST", REQUESTS, this.body(changed)), 201);
  }

  act(browser: TestBrowser, { public_id: id }: JsonObject, act: string, body: JsonObject = {}): Promise<BrowserAnswer> {
    const proven = act === "approve" || act === "extend" ? ({ fresh: true } as const) : {};
    return deployCall(browser, "POST", `${REQUESTS}/${idText(id)}/${act}`, { body, ...proven });
  }

  async shown(by: TestBrowser | CiToken, { public_id: id }: JsonObject): Promise<JsonObject> {
    const path = `${REQUESTS}/${idText(id)}`;
    const answer = by instanceof CiToken ? await by.call("GET", path) : await deployCall(by, "GET", path);
    return must(answer, 200);
  }

  /** As the clock's worker does every second. */
  async tick({ public_id: id }: JsonObject): Promise<void> {
    if (typeof id === "string" && isId<"request">(id)) await applyDueTimers(this.at.app, id);
  }

  /** Kinds of the entries about a request, oldest first. */
  async history(by: TestBrowser | CiToken, { public_id: id }: JsonObject): Promise<readonly JsonObject[]> {
    const path = `${REQUESTS}/${idText(id)}/audit-logs`;
    const answer = by instanceof CiToken ? await by.call("GET", path) : await deployCall(by, "GET", path);
    const { logs } = must(answer, 200);
    return Array.isArray(logs) ? logs.filter(isJsonObject).toReversed() : [];
  }
}

function idText(id: JsonValue | undefined): string {
  return typeof id === "string" ? id : "";
}

/** A call of `/api/v1`; with `fresh` the passkey is proven for it. */
export async function deployCall(
  browser: TestBrowser,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  given: { readonly body?: unknown; readonly fresh?: true; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<BrowserAnswer> {
  const proof = given.fresh === true ? await browser.proofFor(`${method} ${path.split("?")[0] ?? ""}`) : {};
  return browser.call(method, `root:/api/v1${path}`, given.body, { headers: { ...proof, ...given.headers } });
}

const PLAIN = { tls: "system", enabled: true } as const;

/** `409 deploy_approval_exists`, or the status of a success and the request's. */
export function ended(answer: BrowserAnswer): string {
  const body = bodyOf(answer);
  const word = answer.statusCode < 400 ? body["status"] : body["code"];
  return `${String(answer.statusCode)} ${typeof word === "string" ? word : ""}`.trim();
}
