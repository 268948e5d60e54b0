/**
 * A simulator of GitHub's REST API (not GitHub): repositories with branches, commits, comparisons, pull requests, trees, comments, statuses,
 * runs that wait for a protection rule, tokens and Apps, conditional calls, webhooks.
 *
 *     const github = await openGithubSimulator();
 *     const repository = github.repository("MyOrg/myapp");
 *     const head = repository.push("feature", repository.commit());
 *     …
 *     await github.close();   // throws when anything was called that GitHub would have refused
 */
import { createHash, createHmac, randomUUID } from "node:crypto";
import { exportPKCS8, generateKeyPair, jwtVerify } from "jose";
import {
  jsonBody,
  SimulatorServer,
  type SimulatedAnswer,
  type SimulatedCall,
  type SimulatedFault,
  type SimulatedRoute,
} from "../simulator-server.ts";
import { SimulatedRepository } from "./github-repository.ts";

export interface GithubApp {
  readonly appId: string;
  /** PKCS#8 PEM. */
  readonly privateKey: string;
  /** How often a token was made for each repository. */
  readonly made: Readonly<Record<string, number>>;
  /** Seconds until a token that is made from now on ends. */
  tokenSeconds: number;
  /** All tokens that were given out so far stop working. */
  revokeTokens(): void;
}

export interface GithubSimulator {
  readonly url: string;
  /** Of the user `countersign-bot`; sees every repository. */
  readonly token: string;
  readonly revokedToken: string;
  readonly log: readonly string[];
  readonly calls: readonly SimulatedCall[];
  readonly violations: readonly string[];
  /** Made when it is asked for the first time. */
  repository(fullName: string): SimulatedRepository;
  /** Registers an App, installed on all repositories that are there. */
  app(): Promise<GithubApp>;
  fail(fault: SimulatedFault): void;
  heal(): void;
  /** As GitHub sends it when a run waits: the raw body and its headers. */
  protectionRuleWebhook(repository: SimulatedRepository, runId: number, secret: string): GithubWebhookCall;
  close(): Promise<void>;
}

export interface GithubWebhookCall {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** RSA keys take long to make; Apps of one test file share theirs. */
let keyPair: ReturnType<typeof generateKeyPair> | null = null;

const LOGIN = "countersign-bot";
const NAME = "([A-Za-z0-9_.-]+)";
const REPO = `/repos/${NAME}/${NAME}`;
const SHA = "([0-9a-f]{40}|[0-9a-f]{64})";

export async function openGithubSimulator(clock: () => number = Date.now): Promise<GithubSimulator> {
  const state = new GithubState(clock);
  const server = await SimulatorServer.open({
    name: "github",
    prefix: "",
    check: (call) => state.check(call, server.violations),
    finish: conditional,
    routes: routes(state, () => server.violations),
  });
  return {
    url: server.url,
    token: state.token,
    revokedToken: state.revokedToken,
    calls: server.calls,
    violations: server.violations,
    get log() {
      return server.log;
    },
    repository: (fullName) => state.repository(fullName),
    app: () => state.registerApp(),
    fail: (fault) => {
      server.fail(fault);
    },
    heal: () => {
      server.faults.length = 0;
    },
    protectionRuleWebhook: (repository, runId, secret) => webhook(server.url, repository, runId, secret),
    close: () => server.close(),
  };
}

function routes(state: GithubState, violations: () => string[]): readonly SimulatedRoute[] {
  const at = (
    method: string,
    path: string,
    answer: (repository: SimulatedRepository, parts: readonly string[], call: SimulatedCall) => SimulatedAnswer,
  ): SimulatedRoute => ({
    ...{ method, path: new RegExp(`^${REPO}${path}$`) },
    answer: (call) => {
      const repository = state.visible(call);
      return repository === null ? notFound() : answer(repository, call.parts.slice(2), call);
    },
  });
  const wrong = (call: SimulatedCall, what: string): SimulatedAnswer => {
    violations().push(`${call.method} ${call.path}: ${what}`);
    return { status: 422, body: { message: "Validation Failed" } };
  };
  return [
    { method: "GET", path: /^\/user$/, answer: (call) => state.showUser(call) },
    { method: "GET", path: new RegExp(`^${REPO}/installation$`), answer: (call) => state.showInstallation(call) },
    { method: "POST", path: /^\/app\/installations\/(\d+)\/access_tokens$/, answer: (call) => state.makeToken(call) },
    at("GET", "", (repository) => ({ status: 200, body: { full_name: repository.fullName, default_branch: "main" } })),
    at("GET", "/branches/(.+)", (repository, [name = ""]) => repository.showBranch(name)),
    at("GET", "/commits/([^/]+)", (repository, [ref = ""]) => repository.showCommit(ref)),
    at("GET", `/compare/${SHA}\\.\\.\\.${SHA}`, (repository, [base = "", head = ""], call) =>
      repository.showComparison(base, head, call),
    ),
    at("GET", `/commits/${SHA}/pulls`, (repository, [sha = ""]) => repository.showPullsOfCommit(sha)),
    at("GET", `/commits/${SHA}/status`, ({ statuses }) => ({
      ...{
        status: 200,
        body: { state: statuses.at(-1)?.["state"] ?? "pending", total_count: statuses.length, statuses },
      },
    })),
    at("GET", `/commits/${SHA}/check-runs`, ({ checkRuns }) => ({ status: 200, body: { check_runs: checkRuns } })),
    at("GET", "/pulls", (repository, _parts, call) => repository.listPulls(call)),
    at("GET", "/pulls/(\\d+)/reviews", ({ pulls }, [number]) => {
      const pull = pulls.find((found) => String(found.number) === number);
      if (pull === undefined) return notFound();
      return {
        status: 200,
        body: pull.reviews.map(({ user, state: said }) => ({ user: { login: user }, state: said })),
      };
    }),
    at("GET", `/git/trees/${SHA}`, (repository, [sha = ""], call) => repository.showTree(sha, call)),
    at("GET", "/contents/(.+)", (repository, [path = ""], call) => repository.showFile(path, call)),
    ...commentRoutes(state, at, wrong),
    at("POST", `/statuses/${SHA}`, (repository, [sha = ""], call) => {
      const body = jsonBody(call);
      const { state: said, description = "" } = body ?? {};
      const isState = said === "error" || said === "failure" || said === "pending" || said === "success";
      const isShort = typeof description === "string" && description.length <= 140;
      if (body === null || !isState || !isShort) return wrong(call, "no commit status");
      repository.statuses.push({ ...body, sha });
      return { status: 201, body };
    }),
    at("GET", "/actions/runs/(\\d+)", (repository, [id]) => {
      const run = repository.runs.find((found) => String(found.id) === id);
      return run === undefined ? notFound() : repository.showRun(run);
    }),
    at("GET", "/actions/runs/(\\d+)/pending_deployments", ({ runs }, [id]) => {
      const run = runs.find((found) => String(found.id) === id);
      if (run === undefined) return notFound();
      return {
        status: 200,
        body: run.pending.map((name) => ({ environment: { name }, current_user_can_approve: true })),
      };
    }),
    at("POST", "/actions/runs/(\\d+)/deployment_protection_rule", ({ runs }, [id], call) => {
      const { environment_name: environment, state: said, comment } = jsonBody(call) ?? {};
      const run = runs.find((found) => String(found.id) === id);
      if (run === undefined) return notFound();
      const isDecision = said === "approved" || said === "rejected";
      if (!isDecision && (said !== undefined || comment === undefined))
        return wrong(call, "neither approved nor rejected");
      const place = run.pending.indexOf(String(environment));
      if (place < 0) return { status: 422, body: { message: "No pending deployment requests to approve or reject" } };
      const word = { environment: String(environment), comment: String(comment) };
      run.reviews.push({ ...word, state: isDecision ? said : "commented" });
      if (!isDecision) return { status: 204 };
      run.pending.splice(place, 1);
      run.status = said === "approved" ? "in_progress" : "completed";
      run.conclusion = said === "approved" ? null : "failure";
      return { status: 204 };
    }),
  ];
}

type At = (
  method: string,
  path: string,
  answer: (repository: SimulatedRepository, parts: readonly string[], call: SimulatedCall) => SimulatedAnswer,
) => SimulatedRoute;

const PAGE_MAX = 100;

function commentRoutes(
  state: GithubState,
  at: At,
  wrong: (call: SimulatedCall, what: string) => SimulatedAnswer,
): readonly SimulatedRoute[] {
  const textOf = (call: SimulatedCall): string | null => {
    const body = jsonBody(call)?.["body"];
    return typeof body === "string" && body !== "" && body.length <= 65_536 ? body : null;
  };
  return [
    at("GET", "/issues/(\\d+)/comments", ({ comments }, [issue], { query, path }) => {
      const size = Math.min(PAGE_MAX, Number(query.get("per_page") ?? 30));
      const page = Number(query.get("page") ?? 1);
      const all = comments.filter((comment) => String(comment.issue) === issue);
      const more = all.length > page * size;
      const link = `<https://api.github.com${path}?page=${String(page + 1)}>; rel="next"`;
      const body = all.slice((page - 1) * size, page * size).map(shownComment);
      return { status: 200, body, ...(more ? { headers: { link } } : {}) };
    }),
    at("POST", "/issues/(\\d+)/comments", (repository, [issue], call) => {
      const body = textOf(call);
      if (body === null) return wrong(call, "no comment");
      const id = 100 + repository.comments.length;
      const comment = { id, issue: Number(issue), body, ...state.writer(call) };
      repository.comments.push(comment);
      return { status: 201, body: shownComment(comment) };
    }),
    at("PATCH", "/issues/comments/(\\d+)", ({ comments }, [id], call) => {
      const comment = comments.find((found) => String(found.id) === id);
      const body = textOf(call);
      if (comment === undefined) return notFound();
      if (body === null) return wrong(call, "no comment");
      comment.body = body;
      return { status: 200, body: shownComment(comment) };
    }),
  ];
}

function shownComment({ id, body, user, appId }: SimulatedRepository["comments"][number]): Record<string, unknown> {
  return { id, body, user: { login: user }, performed_via_github_app: appId === null ? null : { id: appId } };
}

/** An answer that the caller has already is confirmed instead of sent again. */
function conditional(call: SimulatedCall, answer: SimulatedAnswer): SimulatedAnswer {
  if (call.method !== "GET" || answer.status !== 200) return answer;
  const etag = `W/"${createHash("sha256").update(JSON.stringify(answer.body)).digest("hex")}"`;
  if (call.headers["if-none-match"] === etag) return { status: 304, headers: { etag } };
  return { ...answer, headers: { ...answer.headers, etag } };
}

function notFound(): SimulatedAnswer {
  return { status: 404, body: { message: "Not Found", documentation_url: "https://docs.github.com/rest" } };
}

function badCredentials(): SimulatedAnswer {
  return { status: 401, body: { message: "Bad credentials" } };
}

function headerFaults(headers: SimulatedCall["headers"]): readonly string[] {
  return [
    ...(headers["user-agent"] === undefined ? ["no User-Agent"] : []),
    ...(headers["accept"] === "application/vnd.github+json" ? [] : ["no Accept of GitHub's"]),
    ...(headers["x-github-api-version"] === "2022-11-28" ? [] : ["no version of the API"]),
    ...(headers["authorization"]?.startsWith("Bearer ") === true ? [] : ["no bearer token"]),
  ];
}

interface GivenToken {
  readonly repositories: readonly string[];
  readonly endsAt: number;
}

class GithubState {
  readonly token = `ghp_${randomUUID().replaceAll("-", "")}`;
  readonly revokedToken = `ghp_${randomUUID().replaceAll("-", "")}`;
  readonly #clock: () => number;
  readonly #repositories = new Map<string, SimulatedRepository>();
  readonly #given = new Map<string, GivenToken>();
  #app: { readonly app: GithubApp; readonly publicKey: CryptoKey } | null = null;
  readonly #made: Record<string, number> = {};

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  repository(fullName: string): SimulatedRepository {
    const made = this.#repositories.get(fullName) ?? new SimulatedRepository(fullName);
    this.#repositories.set(fullName, made);
    return made;
  }

  async registerApp(): Promise<GithubApp> {
    keyPair ??= generateKeyPair("RS256", { extractable: true });
    const { privateKey, publicKey } = await keyPair;
    const app: GithubApp = {
      ...{ appId: "4242", privateKey: await exportPKCS8(privateKey), made: this.#made, tokenSeconds: 3_600 },
      revokeTokens: () => {
        this.#given.clear();
      },
    };
    this.#app = { app, publicKey };
    return app;
  }

  /** Everything that GitHub looks at before it looks at the route. */
  async check({ method, path, headers, body }: SimulatedCall, violations: string[]): Promise<SimulatedAnswer | null> {
    const where = `${method} ${path}`;
    if (body !== "" && method === "GET") violations.push(`${where}: a body where none belongs`);
    violations.push(...headerFaults(headers).map((fault) => `${where}: ${fault}`));
    const token = /^Bearer (\S+)$/.exec(headers["authorization"] ?? "")?.[1];
    if (token === undefined || token === this.revokedToken) return badCredentials();
    if (path.endsWith("/installation") || path.startsWith("/app/")) return this.#checkJwt(token, violations);
    if (token === this.token) return null;
    const given = this.#given.get(token);
    return given === undefined || given.endsAt <= this.#clock() ? badCredentials() : null;
  }

  /** Null where the credential may not see the repository, or there is none: both are the same 404. */
  visible({ parts: [owner = "", name = ""], headers }: SimulatedCall): SimulatedRepository | null {
    const given = this.#given.get((headers["authorization"] ?? "").replace("Bearer ", ""));
    if (given !== undefined && !given.repositories.includes(name)) return null;
    return this.#repositories.get(`${owner}/${name}`) ?? null;
  }

  writer({ headers }: SimulatedCall): { readonly user: string; readonly appId: number | null } {
    const isUser = headers["authorization"] === `Bearer ${this.token}`;
    return isUser ? { user: LOGIN, appId: null } : { user: "countersign[bot]", appId: Number(this.#app?.app.appId) };
  }

  showUser({ headers }: SimulatedCall): SimulatedAnswer {
    if (headers["authorization"] === `Bearer ${this.token}`) return { status: 200, body: { login: LOGIN, id: 7 } };
    return { status: 403, body: { message: "Resource not accessible by integration" } };
  }

  showInstallation({ parts: [owner = "", name = ""] }: SimulatedCall): SimulatedAnswer {
    return this.#repositories.has(`${owner}/${name}`) ? { status: 200, body: { id: 77, app_id: 4242 } } : notFound();
  }

  makeToken(call: SimulatedCall): SimulatedAnswer {
    const repositories = jsonBody(call)?.["repositories"];
    if (call.parts[0] !== "77" || !Array.isArray(repositories)) return notFound();
    const names = repositories.map(String);
    for (const name of names) this.#made[name] = (this.#made[name] ?? 0) + 1;
    const token = `ghs_${randomUUID().replaceAll("-", "")}`;
    const endsAt = this.#clock() + (this.#app?.app.tokenSeconds ?? 0) * 1_000;
    this.#given.set(token, { repositories: names, endsAt });
    return { status: 201, body: { token, expires_at: new Date(endsAt).toISOString(), permissions: {} } };
  }

  async #checkJwt(token: string, violations: string[]): Promise<SimulatedAnswer | null> {
    if (this.#app === null) return badCredentials();
    const now = this.#clock();
    try {
      const { payload } = await jwtVerify(token, this.#app.publicKey, {
        ...{ algorithms: ["RS256"], issuer: this.#app.app.appId, currentDate: new Date(now) },
      });
      if (Number(payload.exp) * 1_000 > now + 600_000)
        violations.push("'Expiration time' claim ('exp') is too far in the future");
      if (Number(payload.iat) * 1_000 > now) violations.push("'Issued at' claim ('iat') is in the future");
      return null;
    } catch (error) {
      violations.push(`a JSON web token could not be decoded: ${String(error)}`);
      return badCredentials();
    }
  }
}

function webhook(url: string, repository: SimulatedRepository, runId: number, secret: string): GithubWebhookCall {
  const run = repository.runs.find(({ id }) => id === runId);
  const body = JSON.stringify({
    ...{ action: "requested", environment: run?.pending[0], event: "push" },
    deployment_callback_url: `${url}/repos/${repository.fullName}/actions/runs/${String(runId)}/deployment_protection_rule`,
    deployment: { id: 1, sha: run?.headSha, ref: "feature", creator: { login: "ada", id: 1 } },
    pull_requests: [],
    repository: { id: 1, full_name: repository.fullName, private: true },
    ...{ installation: { id: 77 }, sender: { login: "ada", id: 1 } },
  });
  return {
    body,
    headers: {
      ...{ "user-agent": "GitHub-Hookshot/044aadd", "content-type": "application/json" },
      ...{ "x-github-event": "deployment_protection_rule", "x-github-delivery": randomUUID() },
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    },
  };
}
