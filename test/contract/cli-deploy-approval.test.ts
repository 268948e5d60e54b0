/** The approval commands of `rack-gateway` and `countersign deploy`: every text and every exit status, against a gateway that speaks the wire. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectIn } from "../support/json-answer.ts";
import {
  openScriptedGateway,
  rackGateway,
  type GatewayAnswer,
  type GatewayCall,
  type RackGatewayCall,
  type RackGatewayRun,
  type ScriptedGateway,
} from "../support/rack-gateway-process.ts";

const ID = "6f1c3a52-9c1e-4f0b-8a51-0d5e7d6f2a11";
const OTHER = "6f1c3a52-9c1e-4f0b-8a51-0d5e7d6f2a12";
const COMMIT = "a".repeat(40);
const PROCESS_MS = 60_000;

let gateway: ScriptedGateway;
let folder = "";
let repository = "";
let head = "";

beforeAll(async () => {
  gateway = await openScriptedGateway();
  folder = mkdtempSync(join(tmpdir(), "rack-gateway-test-"));
  repository = join(folder, "repository");
  mkdirSync(join(repository, ".convox"), { recursive: true });
  writeFileSync(join(repository, ".convox", "app"), "myapp\n");
  const git = (...args: readonly string[]): string => execFileSync("git", args, { cwd: repository, encoding: "utf8" });
  git("init", "--quiet", "--initial-branch=rounding");
  git("-c", "user.name=Ana", "-c", "user.email=ana@example.com", "commit", "--quiet", "--allow-empty", "-m", "First");
  head = git("rev-parse", "HEAD").trim();
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

function request(members: object = {}): Record<string, unknown> {
  return {
    ...{ public_id: ID, message: "Deploy", status: "pending", created_at: "2026-11-20T09:00:00Z", app: "myapp" },
    ...{ updated_at: "2026-11-20T09:00:00Z", git_commit_hash: COMMIT, git_branch: "main", version: 1, warnings: [] },
    ...{ target_api_token_id: OTHER, target_api_token_name: "ci", approvals: { required: 1, given: 0 } },
    ...members,
  };
}

/** As a CI job runs it. */
function asToken(...args: readonly string[]): Promise<RackGatewayRun> {
  return run(args, { env: { RACK_GATEWAY_URL: gateway.url, RACK_GATEWAY_API_TOKEN: "rgw_token" } });
}

/** As a person runs it who is logged in. */
function asPerson(args: readonly string[], call: RackGatewayCall = {}): Promise<RackGatewayRun> {
  const config = mkdtempSync(join(folder, "config-"));
  const gateways = {
    production: { url: gateway.url, token: "session" },
    staging: { url: gateway.url, token: "session" },
  };
  writeFileSync(join(config, "config.json"), JSON.stringify({ current: "production", gateways }));
  return run(args, { ...call, env: { GATEWAY_CLI_CONFIG_DIR: config, ...call.env } });
}

function run(args: readonly string[], call: RackGatewayCall = {}): Promise<RackGatewayRun> {
  return rackGateway(["deploy-approval", ...args], { cwd: repository, ...call });
}

/** What the request becomes, one state after each long poll. */
function becoming(...states: readonly object[]): (call: GatewayCall) => GatewayAnswer {
  let polls = 0;
  return ({ method }) => {
    if (method === "POST") return { status: 201, body: request() };
    const state = states[Math.min(polls, states.length - 1)] ?? {};
    polls += 1;
    return { body: request({ version: polls + 1, ...state }) };
  };
}

const ASKING = ["request", "--app", "myapp", "--git-commit", COMMIT, "--message", "Deploy"] as const;

describe("asking", () => {
  it(
    "deploy R-CLI-5: sends what the guide's command says, and names the request",
    async () => {
      gateway.answers(() => ({
        status: 201,
        body: request({ warnings: [{ code: "ci_not_ready", message: "no approval job" }] }),
      }));
      const metadata = '{"workflow_id":"abc-123","pipeline_number":"42"}';
      const ran = await asToken(...ASKING, "--branch", "main", "--ci-metadata", metadata);
      expect(ran).toEqual({
        status: 0,
        out: `Deploy approval request ${ID} created (status: pending)\n`,
        err: "Warning: no approval job\n",
      });
      const [call] = gateway.calls;
      expect(call).toMatchObject({ method: "POST", path: "/deploy-approval-requests" });
      expect(call?.headers.authorization).toBe("Bearer rgw_token");
      expect(objectIn(call?.body ?? "")).toEqual({
        ...{ app: "myapp", git_commit_hash: COMMIT, git_branch: "main", message: "Deploy" },
        ci_metadata: { workflow_id: "abc-123", pipeline_number: "42" },
      });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-5, R-REQ-3: expands a short commit by git, takes the app from .convox/app and the branch checked out, and fills in what single quotes hid",
    async () => {
      gateway.answers(() => ({ status: 201, body: request() }));
      const ran = await run(
        [
          ...["request", "--git-commit", head.slice(0, 7), "--message", "Deploy"],
          ...["--ci-metadata", '{"workflow_id":"$CIRCLE_WORKFLOW_ID","pipeline_number":42,"home":"$HOME"}'],
          ...["--image", `web=myorg/app@sha256:${"1".repeat(64)}`, "--target-api-token-id", "ci"],
        ],
        {
          env: { RACK_GATEWAY_URL: gateway.url, RACK_GATEWAY_API_TOKEN: "rgw_token", CIRCLE_WORKFLOW_ID: "wf-1" },
        },
      );
      expect(ran.status).toBe(0);
      expect(ran.err).toContain("replaced $CIRCLE_WORKFLOW_ID\n");
      expect(objectIn(gateway.calls[0]?.body ?? "")).toMatchObject({
        ...{ app: "myapp", git_commit_hash: head, git_branch: "rounding", target_api_token: "ci" },
        ci_metadata: { workflow_id: "wf-1", pipeline_number: 42, home: "$HOME" },
        images: { web: `myorg/app@sha256:${"1".repeat(64)}` },
      });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-5: where approvals are switched off, none is needed",
    async () => {
      gateway.answers(() => ({
        status: 404,
        body: { error: "deploy approvals feature is disabled", code: "deploy_approvals_disabled" },
      }));
      expect(await asToken(...ASKING, "--wait")).toEqual({
        ...{ status: 0, out: "" },
        err: "Deploy approvals are disabled on this rack: no approval is needed.\n",
      });
    },
    PROCESS_MS,
  );

  it.each([
    ["no commit", ["request", "--message", "m"], "Error: required option '--git-commit <commit>' not specified"],
    ["broken metadata", [...ASKING, "--ci-metadata", "{"], "Error: invalid --ci-metadata JSON: "],
    ["an image without a digest's place", [...ASKING, "--image", "web"], "Error: --image is SERVICE="],
    ["a span of time without a unit", [...ASKING, "--timeout", "20"], "It must be a span of time"],
    ["an unknown flag", [...ASKING, "--bogus"], "Error: unknown option '--bogus'"],
  ] as const)(
    "deploy R-CLI-4: %s ends with 20 before any call",
    async (_name, args, text) => {
      gateway.answers(() => ({ status: 500 }));
      const ran = await asToken(...args);
      expect([ran.status, ran.out]).toEqual([20, ""]);
      expect(ran.err).toContain(text);
      expect(gateway.calls).toEqual([]);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-4: a refusal prints its sentence and what to do next",
    async () => {
      gateway.answers(() => ({
        status: 422,
        body: { error: "no one can approve this request", code: "no_eligible_approver", hint: "Add an approver." },
      }));
      expect(await asToken(...ASKING)).toEqual({
        ...{ status: 20, out: "" },
        err: "Error: no one can approve this request\nAdd an approver.\n",
      });
      gateway.answers(() => ({ status: 503, body: "" }));
      expect(await asToken(...ASKING)).toMatchObject({
        ...{ status: 20, err: "Error: gateway request failed (503): Service Unavailable\n" },
      });
    },
    PROCESS_MS,
  );

  it.each([
    ["pending", 0],
    ["approved", 0],
    ["rejected", 20],
  ] as const)(
    "deploy R-CLI-6: a request that exists and is %s ends with %i",
    async (status, exit) => {
      const body = request({ status, error: "exists", code: "deploy_approval_exists" });
      gateway.answers(() => ({ status: 409, body }));
      expect(await asToken(...ASKING)).toMatchObject({
        status: exit,
        out: `Deploy approval request already exists for this commit\n  ${ID} (status: ${status})\n`,
      });
    },
    PROCESS_MS,
  );
});

describe("waiting", () => {
  it.each([
    ["approved", {}, 0, `Deploy approval request ${ID} approved.\n`, ""],
    ["deployed", {}, 0, `Deploy approval request ${ID} approved. (already deployed)\n`, ""],
    ["rejected", {}, 10, "", `Error: deploy approval request ${ID} rejected\n`],
    ["rejected", { approval_notes: "No." }, 10, "", `Error: deploy approval request ${ID} rejected: No.\n`],
    ["expired", {}, 11, "", `Error: deploy approval request ${ID} expired\n`],
    ["cancelled", {}, 12, "", `Error: deploy approval request ${ID} cancelled\n`],
    ["superseded", { superseded_by: OTHER }, 13, "", `Error: deploy approval request ${ID} superseded by ${OTHER}\n`],
  ] as const)(
    "deploy R-CLI-4, R-CLI-7: %s %j ends with %i",
    async (...[status, members, exit, out, err]) => {
      gateway.answers(becoming({ approvals: { required: 2, given: 1 } }, { status, ...members }));
      const ran = await asToken(...ASKING, "--wait");
      expect(ran.status).toBe(exit);
      expect(ran.out).toBe(`Deploy approval request ${ID} created (status: pending)\n${out}`);
      expect(ran.err).toBe(
        [
          `${gateway.url}/app/deploy/requests/${ID}`,
          "Waiting for approval (status: pending)",
          "Waiting for approval (status: pending)\n1 of 2 approvals",
          err,
        ].join("\n"),
      );
      expect(gateway.calls[1]?.path).toBe(`/deploy-approval-requests/${ID}?wait=55&version=1`);
      expect(gateway.calls[2]?.path).toBe(`/deploy-approval-requests/${ID}?wait=55&version=2`);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-6: joins the request that exists",
    async () => {
      gateway.answers(({ method }) =>
        method === "POST"
          ? { status: 409, body: request({ error: "exists", code: "deploy_approval_exists" }) }
          : { body: request({ status: "rejected", version: 2 }) },
      );
      expect((await asToken(...ASKING, "--wait")).status).toBe(10);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-7: outlives 502, 503, 429 and a cut connection, also while asking",
    async () => {
      const faults: GatewayAnswer[] = [
        ...[{ status: 502, body: "" }, { cut: true as const }, { status: 503, body: "" }],
        { status: 429, body: { error: "slow down" }, headers: { "retry-after": "1" } },
      ];
      let asked = 0;
      gateway.answers(({ method }) => {
        const fault = asked % 2 === 0 ? faults.shift() : undefined;
        asked += 1;
        if (fault !== undefined) return fault;
        return method === "POST" ? { status: 201, body: request() } : { body: request({ version: 1 + asked }) };
      });
      const ends = asToken(...ASKING, "--wait");
      await expect.poll(() => faults.length, { timeout: 30_000 }).toBe(0);
      gateway.answers(() => ({ body: request({ status: "approved", version: 99 }) }));
      expect((await ends).status).toBe(0);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-7: outlives a restart of the server, and ends as the request does",
    async () => {
      const before = await openScriptedGateway();
      before.answers(({ method }) =>
        method === "POST" ? { status: 201, body: request() } : { body: request(), after: 30_000 },
      );
      const env = { RACK_GATEWAY_URL: before.url, RACK_GATEWAY_API_TOKEN: "rgw_token" };
      const ends = run([...ASKING, "--wait"], { env });
      await expect.poll(() => before.calls.length, { timeout: 30_000 }).toBe(2);
      // The commit is not the one checked out, so neither is its branch.
      expect(objectIn(before.calls[0]?.body ?? "")).not.toHaveProperty("git_branch");
      await before.close();
      const after = await openScriptedGateway(Number(new URL(before.url).port));
      try {
        after.answers(() => ({ body: request({ status: "rejected", approval_notes: "too late", version: 2 }) }));
        const ended = await ends;
        expect([ended.status, ended.err]).toEqual([10, expect.stringContaining(`${ID} rejected: too late\n`)]);
        expect(after.calls.map(({ method }) => method)).toEqual(["GET"]);
      } finally {
        await after.close();
      }
    },
    PROCESS_MS,
  );

  it.each([403])(
    "deploy R-CLI-7: %i ends at once",
    async (status) => {
      gateway.answers(({ method }) =>
        method === "POST" ? { status: 201, body: request() } : { status, body: { error: "no", code: "no" } },
      );
      expect(await asToken(...ASKING, "--wait")).toMatchObject({ status: 20 });
      expect(gateway.calls.length).toBe(2);
    },
    PROCESS_MS,
  );

  it.each([
    ["nobody decides", () => ({ body: request(), after: 100 })],
    ["the server is down", () => ({ status: 502, body: "" })],
  ] as const)(
    "deploy R-CLI-7: ends with 14 at --timeout while %s",
    async (_name, answer) => {
      gateway.answers(({ method }) => (method === "POST" ? { status: 201, body: request() } : answer()));
      const ran = await asToken(...ASKING, "--wait", "--timeout", "2s", "--poll-interval", "300ms");
      expect(ran.status).toBe(14);
      expect(ran.err).toContain("Error: timed out waiting for approval\n");
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-7: polls where the server knows no long poll",
    async () => {
      let polls = 0;
      gateway.answers(({ method }) => {
        if (method === "POST") return { status: 201, body: request({ version: undefined }) };
        polls += 1;
        return { body: request({ version: undefined, status: polls < 3 ? "pending" : "approved" }) };
      });
      const ran = await asToken(...ASKING, "--wait", "--poll-interval", "200ms");
      expect([ran.status, polls]).toEqual([0, 3]);
      expect(gateway.calls.at(-1)?.path).toBe(`/deploy-approval-requests/${ID}`);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-7: Ctrl-C ends the wait with 130, and takes nothing back",
    async () => {
      gateway.answers(({ method }) =>
        method === "POST" ? { status: 201, body: request() } : { body: request(), after: 5_000 },
      );
      const signal = { after: "Waiting for approval", name: "SIGINT" as const };
      const env = { RACK_GATEWAY_URL: gateway.url, RACK_GATEWAY_API_TOKEN: "rgw_token" };
      const ran = await run([...ASKING, "--wait"], { env, signal });
      expect(ran.status).toBe(130);
      expect(gateway.calls.map(({ method }) => method)).toEqual(["POST", "GET"]);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-4: with -o json standard output is the request and nothing else, and --quiet leaves progress out",
    async () => {
      gateway.answers(becoming({ status: "approved" }));
      const ran = await asToken(...ASKING, "--wait", "-o", "json", "--quiet");
      expect(objectIn(ran.out)).toMatchObject({ public_id: ID, status: "approved" });
      expect(ran.err).toBe("");
    },
    PROCESS_MS,
  );
});

describe("looking", () => {
  const row = `${ID}  pending     2026-11-20 09:00:00   Deploy                          ci`;
  const heads =
    "ID                                    STATUS      CREATED               MESSAGE                         TOKEN";

  it(
    "deploy R-CLI-8: list prints its columns",
    async () => {
      gateway.answers(() => ({ body: { deploy_approval_requests: [request()] } }));
      const ran = await asPerson(["list", "--status", "pending", "--open", "-a", "myapp", "-l", "7"]);
      expect(ran).toEqual({ status: 0, out: `${heads}\n${"-".repeat(120)}\n${row}\n`, err: "" });
      const query = new URL(gateway.calls[0]?.path ?? "", "http://at").searchParams;
      expect(Object.fromEntries(query)).toEqual({ status: "pending", only_open: "true", app: "myapp", limit: "7" });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-8: several racks stand in a column of their own",
    async () => {
      gateway.answers(() => ({
        body: { deploy_approval_requests: [request({ message: `${"long ".repeat(9)}\u001b[2J` })] },
      }));
      const ran = await asPerson(["list", "--rack", "production,staging"]);
      const lines = ran.out.split("\n");
      expect(lines[0]).toBe(`RACK          ${heads}`);
      expect(lines[1]).toBe("-".repeat(145));
      expect(lines[2]).toContain("production    6f1c3a52");
      expect(lines[3]).toContain("long long long long long lo...");
      expect(ran.out).not.toContain("\u001b");
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-8: an empty list says so, and is an empty list in JSON",
    async () => {
      gateway.answers(() => ({ body: { deploy_approval_requests: [] } }));
      expect((await asPerson(["list"])).out).toBe("No deploy approval requests found.\n");
      expect(objectIn((await asPerson(["list", "-o", "json"])).out)).toEqual({ deploy_approval_requests: [] });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-8: show prints what is known under its labels",
    async () => {
      const members = {
        ...{
          status: "approved",
          approved_at: "2026-11-20T09:05:00Z",
          approved_by_name: "Rosa",
          approval_notes: "LGTM",
        },
        ...{ approval_expires_at: "2026-11-20T09:20:00Z", pr: { number: 12, title: "Faster", author: "ana" } },
        ...{ ci: { provider: "circleci", status: "on_hold", problems: ["no job"] }, source_verification: "ready" },
        ...{ approvals: { required: 2, given: 2 }, builds: [{ id: "BABC", status: "failed" }], release_id: "RABC" },
        effects: [{ kind: "ci_approve", state: "failed", last_error: "403" }],
      };
      gateway.answers(() => ({ body: request(members) }));
      const ran = await asPerson(["show", ID]);
      expect(ran.out.split("\n").slice(0, -2)).toEqual([
        ...[`ID:         ${ID}`, "Status:     approved", "Message:    Deploy", "App:        myapp"],
        ...["Created:    2026-11-20T09:00:00Z", "Updated:    2026-11-20T09:00:00Z", "Token:      ci"],
        ...[`Commit:     ${COMMIT}`, "Branch:     main", "PR:         #12 Faster by ana"],
        ...["CI:         circleci on_hold", "            no job", "Source:     ready", "Approvals:  2 of 2 approvals"],
        ...["Build:      BABC (failed)", "Release:    RABC", "Approved:   2026-11-20T09:05:00Z by Rosa"],
        ...["Expires:    2026-11-20T09:20:00Z", "Notes:      LGTM", "Effects:    ci_approve failed: 403"],
      ]);
    },
    PROCESS_MS,
  );

  it.each([
    ["by HEAD", ["show"], () => ({ app: "myapp", git_commit: head })],
    ["by a short commit", ["show", "--commit", "HEAD"], () => ({ app: "myapp", git_commit: head })],
    ["by branch", ["show", "--branch", "main", "-a", "other"], () => ({ app: "other", git_branch: "main" })],
  ] as const)(
    "deploy R-CLI-8: finds a request %s, and says when there is none",
    async (_name, args, query) => {
      gateway.answers(() => ({ body: { deploy_approval_requests: [] } }));
      const ran = await asPerson(args);
      expect(ran.status).toBe(20);
      expect(ran.err).toMatch(
        /^Error: no deploy approval request found for app "(myapp|other)" (commit|branch) "\w+"\n$/,
      );
      const sent = Object.fromEntries(new URL(gateway.calls[0]?.path ?? "", "http://at").searchParams);
      expect(sent).toEqual({ ...query(), limit: "50" });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-8: without a repository the current commit cannot be meant",
    async () => {
      const ran = await asPerson(["show", "-a", "myapp"], { cwd: folder });
      expect(ran.status).toBe(20);
      expect(ran.err).toMatch(
        /^Error: no ID, --branch, or --commit provided, and failed to get current git commit: \S/,
      );
    },
    PROCESS_MS,
  );
});

describe("deciding", () => {
  const approved = request({ status: "approved", version: 2, approval_expires_at: "2026-11-20T09:20:00Z" });
  const line = `✅ Deploy approval request ${ID} approved (expires at 2026-11-20T09:20:00Z)\n`;

  it(
    "deploy R-CLI-8, R-CLI-11: approve shows the request, asks for the factor after that, and binds what was shown",
    async () => {
      gateway.answers(({ method }) => ({ body: method === "GET" ? request() : approved }));
      const ran = await asPerson(["approve", ID, "--notes", "Reviewed diff, LGTM"], { input: "123456\n" });
      expect([ran.status, ran.out]).toEqual([0, line]);
      expect(ran.err.indexOf(`Commit:     ${COMMIT}`)).toBeGreaterThan(-1);
      expect(ran.err.indexOf("Enter MFA code (TOTP or backup code): ")).toBeGreaterThan(ran.err.indexOf(COMMIT));
      const [, call] = gateway.calls;
      expect(call).toMatchObject({ method: "POST", path: `/deploy-approval-requests/${ID}/approve` });
      expect(call?.headers).toMatchObject({
        "x-mfa-totp": "123456",
        "if-match": '"1"',
        authorization: "Bearer session",
      });
      expect(objectIn(call?.body ?? "")).toEqual({ notes: "Reviewed diff, LGTM" });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-11: a code from the command line travels in a header, a backup code in its own, and neither in the URL",
    async () => {
      gateway.answers(({ method }) => ({ body: method === "GET" ? request() : approved }));
      const ran = await asPerson(["approve", ID, "--mfa-code", "abcd-efgh"]);
      expect([ran.status, ran.out]).toEqual([0, line]);
      expect(gateway.calls[1]?.headers["x-mfa-backup-code"]).toBe("abcd-efgh");
      expect(gateway.calls.some(({ path }) => path.includes("abcd"))).toBe(false);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-8: without an id the pending request of HEAD is approved, on the rack that has it",
    async () => {
      const pending = request({ git_commit_hash: head });
      const older = request({ public_id: OTHER, status: "expired", git_commit_hash: head });
      gateway.answers(({ method }) => ({
        body: method === "GET" ? { deploy_approval_requests: [older, pending] } : approved,
      }));
      const ran = await asPerson(["approve", "-r", "all", "-y", "--mfa-code", "123456"]);
      expect(ran.out).toBe(
        `✅ Deploy approval request ${ID} approved on rack production (expires at 2026-11-20T09:20:00Z)\n`,
      );
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-8: an approval that is not the last says how many there are",
    async () => {
      const body = request({ version: 2, approvals: { required: 2, given: 1 } });
      gateway.answers(({ method }) => ({ body: method === "GET" ? request() : body }));
      const ran = await asPerson(["approve", ID, "--mfa-code", "123456"]);
      expect(ran.out).toBe(`Deploy approval request ${ID}: your approval is recorded, 1 of 2 approvals.\n`);
    },
    PROCESS_MS,
  );

  it.each([
    ["reject", [], "none", `Deploy approval request ${ID} rejected.\n`],
    ["cancel", ["--notes", "wrong"], "none", `Deploy approval request ${ID} cancelled.\n`],
    ["extend", [], "always", `Deploy approval request ${ID} extended (expires at 2026-11-20T09:20:00Z)\n`],
  ] as const)(
    "deploy R-CLI-8: %s %j, factor %s",
    async (verb, args, factor, out) => {
      gateway.answers(() => ({ body: approved }));
      const ran = await asPerson([verb, ID, ...args], { input: "123456\n" });
      expect([ran.status, ran.out]).toEqual([0, out]);
      expect(gateway.calls.map(({ path }) => path)).toEqual([`/deploy-approval-requests/${ID}/${verb}`]);
      expect(gateway.calls[0]?.headers["x-mfa-totp"]).toBe(factor === "always" ? "123456" : undefined);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-11: a call refused for want of a factor is made once more, with one",
    async () => {
      gateway.answers(({ headers }) =>
        headers["x-mfa-totp"] === undefined
          ? {
              status: 401,
              headers: { "x-mfa-required": "step-up" },
              body: { error: "mfa_step_up_required", message: "Prove a factor." },
            }
          : { body: approved },
      );
      const ran = await asPerson(["reject", ID], { input: "654321\n" });
      expect([ran.status, gateway.calls.length]).toEqual([0, 2]);
      const nobody = await asPerson(["reject", ID]);
      expect(nobody).toMatchObject({ status: 20, err: "Error: Prove a factor.\n" });
    },
    PROCESS_MS,
  );

  it.each([["approve"], ["reject"], ["extend"]])(
    "deploy R-CLI-8, R-TOKEN-4: with a token %s fails before any call",
    async (verb) => {
      gateway.answers(() => ({ body: approved }));
      expect(await asToken(verb, ID)).toEqual({
        ...{ status: 20, out: "", err: "Error: API tokens cannot decide; log in as a person\n" },
      });
      expect(gateway.calls).toEqual([]);
    },
    PROCESS_MS,
  );

  it.each([["show"], ["approve"], ["reject"], ["extend"], ["cancel"]])(
    "deploy R-CLI-8: %s takes a UUID and nothing else",
    async (verb) => {
      gateway.answers(() => ({ body: approved }));
      expect(await asPerson([verb, "12"])).toEqual({
        ...{ status: 20, out: "" },
        err: "Error: invalid deploy approval request ID format: must be a valid UUID\n",
      });
      expect(gateway.calls).toEqual([]);
    },
    PROCESS_MS,
  );
});

describe("waiting for somebody to ask", () => {
  it(
    "deploy R-CLI-8: wait reports the first pending request",
    async () => {
      let polls = 0;
      gateway.answers(() => {
        polls += 1;
        return { body: { deploy_approval_requests: polls < 3 ? [] : [request()] } };
      });
      const ran = await asPerson(["wait", "--poll-interval", "100ms"]);
      expect(ran).toMatchObject({ status: 0, out: `Deploy approval request ${ID} pending: Deploy\n` });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-8: with --loop it reports every new one once, until --timeout",
    async () => {
      gateway.answers(() => ({ body: { deploy_approval_requests: [request(), request({ public_id: OTHER })] } }));
      const ran = await asPerson(["wait", "--loop", "--poll-interval", "100ms", "--timeout", "1s"]);
      expect(ran.status).toBe(14);
      expect(ran.out).toBe(`${[ID, OTHER].map((id) => `Deploy approval request ${id} pending: Deploy`).join("\n")}\n`);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-8: with --approve it approves what comes",
    async () => {
      gateway.answers(({ method }) => ({
        body:
          method === "GET" ? { deploy_approval_requests: [request()] } : request({ status: "approved", version: 2 }),
      }));
      const ran = await asPerson(["wait", "--approve", "--notes", "ok", "--mfa-code", "123456"]);
      expect([ran.status, ran.out]).toEqual([0, `✅ Deploy approval request ${ID} approved\n`]);
    },
    PROCESS_MS,
  );
});
