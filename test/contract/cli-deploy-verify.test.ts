/** `deploy-approval verify` against a server that may lie about what it hands out: exit statuses, and what is compared here. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addApprovalCommands } from "../../src/cli/deploy/approval-commands.ts";
import { sampleApproval, sealApproval, TRUST, type SampleApproval } from "../interop/sample-bundles.ts";
import { sampleKeys } from "../interop/sample-decisions.ts";
import { commandInProcess, type CommandRun } from "../support/command-in-process.ts";
import { openScriptedGateway, type GatewayAnswer, type ScriptedGateway } from "../support/rack-gateway-process.ts";

const keys = sampleKeys(1);

function approvalWhere(is: (approval: SampleApproval) => boolean): SampleApproval {
  for (let seed = 1; seed < 10_000; seed += 1) {
    const approval = sampleApproval(seed, keys);
    if (approval.request.outcome === "approved" && is(approval)) return approval;
  }
  throw new Error("no sample is like that");
}

/** As people see it. */
function idOf({ request }: SampleApproval): string {
  return request.id.slice("req_".length).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

describe("deploy-approval verify", () => {
  const kept = approvalWhere(({ isErased }) => !isErased);
  const erased = approvalWhere(({ isErased }) => isErased);
  let gateway: ScriptedGateway;
  let folder = "";
  let trust = "";

  beforeAll(async () => {
    gateway = await openScriptedGateway();
    folder = mkdtempSync(join(tmpdir(), "deploy-verify-test-"));
    trust = join(folder, "trust.txt");
    writeFileSync(trust, TRUST);
  });
  afterAll(async () => {
    await gateway.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    handingOut(() => ({ body: sealApproval(kept) }));
  });

  function handingOut(bundle: () => GatewayAnswer, status = "approved"): void {
    gateway.answers(({ path }) => {
      if (path.endsWith("/bundle")) return bundle();
      return { body: { public_id: path.split("/").at(-1), status, app: "myapp" } };
    });
  }

  function verify(...args: readonly string[]): Promise<CommandRun> {
    const env = { RACK_GATEWAY_URL: `${gateway.url}/racks/staging`, RACK_GATEWAY_API_TOKEN: "rgw_token" };
    return commandInProcess(["verify", ...args], { add: addApprovalCommands, env, wrongUsage: 20 });
  }

  it("deploy R-CLI-12: evidence that is sound and the request's own ends with 0, and is kept as it came", async () => {
    const file = join(folder, "approval.json");
    const ran = await verify(idOf(kept), "--trust", trust, "--save", file);
    expect([ran.status, ran.out]).toEqual([0, expect.stringContaining("Sound: every check passed.\n")]);
    expect(ran.out).toContain(`request     ${kept.request.id}\n`);
    expect(readFileSync(file, "utf8")).toBe(sealApproval(kept));
    const call = gateway.calls.at(-1);
    // One evidence for the installation, whichever rack was asked.
    expect([call?.path, call?.headers.authorization]).toEqual([
      ...[`/v1/requests/${idOf(kept)}/bundle`, "Bearer rgw_token"],
    ]);
    const json: unknown = JSON.parse((await verify(idOf(kept), "--trust", trust, "--json")).out);
    expect(json).toMatchObject({ sound: true, outcome: "approved" });
  });

  it.each([
    ["another request's evidence", ["6f1c3a52-9c1e-4f0b-8a51-0d5e7d6f2a11"], "the approval is another request's"],
    ["another commit's", [idOf(kept), "--commit", "a".repeat(40)], "the approval is for another commit"],
    ["another app's", [idOf(kept), "--app", "shop"], "the approval is for another app"],
    ["another payload's", [idOf(kept), "--expect-digest", "0".repeat(64)], "the approval is for another payload"],
  ])("deploy R-CLI-12: %s ends with 1, although nothing in it was changed", async (_name, args, detail) => {
    const ran = await verify(...args, "--trust", trust);
    expect([ran.status, ran.out]).toEqual([1, `Not sound: not_for_this (step 7): ${detail}.\n`]);
  });

  it("deploy R-CLI-12: evidence that was changed ends with 1", async () => {
    const payload = { ...kept.payload, rack: "staging" };
    handingOut(() => ({ body: sealApproval({ ...kept, payload }) }));
    const ran = await verify(idOf(kept), "--trust", trust);
    expect([ran.status, ran.out]).toEqual([1, expect.stringContaining("Not sound: payload_mismatch (step 4)")]);
  });

  it("deploy R-CLI-12: what could not be checked ends with 2: no trust, no evidence, or a payload that was erased", async () => {
    const untrusted = await verify(idOf(kept));
    expect([untrusted.status, untrusted.err]).toEqual([2, expect.stringContaining("--trust <file>")]);
    handingOut(() => ({ body: "<html>" }));
    expect((await verify(idOf(kept), "--trust", trust)).status).toBe(2);
    handingOut(() => ({ body: sealApproval(erased) }));
    expect((await verify(idOf(erased), "--trust", trust)).status).toBe(0);
    const ran = await verify(idOf(erased), "--trust", trust, "--commit", "a".repeat(40));
    expect([ran.status, ran.err]).toEqual([2, expect.stringContaining("The payload was erased")]);
  });

  it("deploy R-CLI-4: evidence that cannot be had ends with 20, and says what the server said", async () => {
    handingOut(() => ({ status: 404, body: { code: "not_found", detail: "There is no such request" } }));
    const ran = await verify(idOf(kept), "--trust", trust);
    expect([ran.status, ran.out, ran.err]).toEqual([20, "", "Error: There is no such request\n"]);
  });
});
