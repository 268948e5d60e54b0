/** People, factors and switches at the rack proxy: docs/spec/deploy.md R-MFA-1 to R-MFA-4, R-REQ-14, R-REQ-15, R-SOURCE-3. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { treeRecordId } from "../../src/app/deploy/tree-record-id.ts";
import { recordsBy } from "../../src/ports/records.ts";
import { COMMIT, FORM, MANIFEST, openDeployScene, setGlobal, type DeployScene } from "../support/deploy-scene.ts";
import { jsonOf } from "../support/http-call.ts";
import { textAt } from "../support/json-answer.ts";
import { textMember } from "../support/rack-simulator/raw-rack-calls.ts";
import type { MadeToken } from "../support/machine-tokens.ts";
import { must, TestBrowser } from "../support/signed-in.ts";
import { SlowUpload } from "../support/slow-upload.ts";
import { TAR_END, tarBlock, tarFile, tarGz, tarLink } from "../support/tar-archive.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

const ARCHIVE = tarGz([tarFile("convox.yml", MANIFEST)]);
const RESTART = "/apps/myapp/services/web";

describeOnEveryPostgres("people at the rack proxy", (database) => {
  let scene: DeployScene;
  beforeAll(async () => {
    scene = await openDeployScene(database.url);
  });
  afterAll(() => scene.close());

  function restart(browser: TestBrowser, fresh = false): ReturnType<TestBrowser["call"]> {
    return browser.call("PUT", `root:/api/v1/convox${RESTART}`, {}, fresh ? { fresh: true } : {});
  }

  /** A command line where this person signed in. */
  async function terminalOf(person: TestBrowser): Promise<Pick<MadeToken, "bearer">> {
    const verifier = randomUUID().repeat(2);
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const about = { code_challenge: challenge, state: randomUUID(), port: null, client: "test", host: "test" };
    const { code } = must(await person.post("/auth/cli/authorize", about), 201);
    const redeemed = await new TestBrowser(scene.at).post("/auth/cli/token", { code, code_verifier: verifier });
    return { bearer: { authorization: `Bearer ${textAt(must(redeemed, 201), "token")}` } };
  }

  it("deploy R-MFA-1: what changes something asks for a factor of the last minutes, and says which level is missing", async () => {
    const deployer = await scene.person(["deployer"]);
    expect((await restart(deployer)).statusCode).toBe(200);
    scene.at.advance(11 * 60_000);
    scene.takeCalls();
    const refused = await restart(deployer);
    expect([refused.statusCode, refused.body.split("\n")[0]]).toEqual([
      401,
      "Multi-factor authentication is required for this action",
    ]);
    expect(refused.headers).toMatchObject({ "x-mfa-required": "true", "x-mfa-level": "step_up" });
    expect((await deployer.get("root:/api/v1/convox/apps")).statusCode).toBe(200);
    expect(scene.takeCalls()).toEqual(["GET /apps"]);
  });

  it("deploy R-MFA-3: a proof for another act opens nothing, and a wrong factor is told so", async () => {
    const deployer = await scene.person(["deployer"]);
    scene.at.advance(11 * 60_000);
    const other = await deployer.proofFor("PUT /convox/apps/other/services/web");
    const refused = await deployer.call("PUT", `root:/api/v1/convox${RESTART}`, {}, { headers: other });
    expect([refused.statusCode, refused.body.split("\n")[0]]).toEqual([401, "MFA verification failed"]);
    const own = await deployer.proofFor(`PUT /convox${RESTART}`);
    expect((await deployer.call("PUT", `root:/api/v1/convox${RESTART}`, {}, { headers: own })).statusCode).toBe(200);
    // The factor opened the window of the session: the next call asks for none.
    expect((await restart(deployer)).statusCode).toBe(200);
  });

  it("deploy R-PERM-4: the credential decides, and a viewer's session restarts nothing", async () => {
    const viewer = await scene.person(["viewer"]);
    const refused = await restart(viewer);
    expect([refused.statusCode, refused.headers["x-countersign-code"]]).toEqual([403, "permission_denied"]);
  });

  it("deploy R-REQ-14: with approvals switched off a CI token deploys, and the entries say so", async () => {
    const off = await openDeployScene((await database.fresh()).url, { globals: { deploy_approvals_enabled: false } });
    try {
      const ci = await off.ciToken();
      const path = "/apps/myapp/objects/tmp/off.tgz";
      const uploaded = await off.call(ci, { method: "POST", path, body: ARCHIVE });
      const body = new URLSearchParams({ url: textMember(jsonOf(uploaded), "Url"), "git-sha": COMMIT }).toString();
      expect(await off.outcome(ci, { method: "POST", path: "/apps/myapp/builds", headers: FORM, body })).toBe("200");
      expect((await off.circumstances("deploy.build_created")).at(-1)).toMatchObject({ approval: "disabled" });
      expect(await off.outcome(ci, { method: "GET", path: "/apps/myapp/releases" })).toBe("403 permission_denied");
    } finally {
      await off.close();
    }
  });

  it("deploy R-REQ-15: where every token needs an approval, a permission of its own is not enough", async () => {
    const strict = await openDeployScene((await database.fresh()).url, {
      globals: { deploy_approval_required_for: "tokens" },
    });
    try {
      const token = await strict.token(["convox:*:*"]);
      const object = { method: "POST", path: "/apps/myapp/objects/tmp/strict.tgz", body: ARCHIVE } as const;
      expect(await strict.outcome(token, object)).toBe("403 no_active_approval");
      expect(
        await strict.outcome(token, { method: "POST", path: "/apps/myapp/releases", headers: FORM, body: "env=A=1" }),
      ).toBe("403 permission_denied");
      expect(await strict.outcome(token, { method: "GET", path: "/apps/myapp" })).toBe("200");
      await strict.approved(token);
      expect(await strict.outcome(token, object)).toBe("200");
    } finally {
      await strict.close();
    }
  });

  const FREE = "200";
  const BARRED = "403 no_active_approval";
  it.each([
    ["gated", { person: FREE, token: FREE, gatedToken: BARRED }],
    ["tokens", { person: FREE, token: BARRED, gatedToken: BARRED }],
    ["everyone", { person: BARRED, token: BARRED, gatedToken: BARRED }],
  ])(
    "identity R-ROLE-1, deploy R-REQ-15: deploy_approval_required_for: %s says whose own permissions are not enough",
    async (value, expected) => {
      const callers = {
        person: await terminalOf(await scene.person(["deployer"])),
        token: await scene.token(["convox:*:*"]),
        gatedToken: await scene.ciToken(),
      };
      const upload = (by: Pick<MadeToken, "bearer">, name: string): Promise<string> =>
        scene.outcome(by, { method: "POST", path: `/apps/myapp/objects/tmp/${value}-${name}.tgz`, body: ARCHIVE });
      await setGlobal(scene, "deploy_approval_required_for", value);
      const outcomes = {
        person: await upload(callers.person, "person"),
        token: await upload(callers.token, "token"),
        gatedToken: await upload(callers.gatedToken, "gated"),
      };
      await setGlobal(scene, "deploy_approval_required_for", null);
      expect(outcomes).toEqual(expected);
    },
  );

  it("deploy R-SOURCE-3: an archive with one changed byte, one more file, another bit or another link is not the commit", async () => {
    const files = [
      { path: "convox.yml", text: MANIFEST, mode: "100644" },
      { path: "bin/run", text: "#!/bin/sh\n", mode: "100755" },
      { path: "current", text: "bin/run", mode: "120000" },
    ];
    const blob = (text: string): string =>
      createHash("sha1")
        .update(`blob ${String(Buffer.byteLength(text))}\0${text}`)
        .digest("hex");
    const treeId = createHash("sha1").update(randomUUID()).digest("hex");
    const { orgId, clock, scratch } = scene.at.app;
    const facts = { ...NO_FACTS, repository: "myorg/app" };
    await scratch.add("deployTree", {
      ...{ id: treeRecordId({ record: { orgId, facts }, repository: null, treeId }), orgId },
      ...{ objectFormat: "sha1", readAt: clock() },
      files: files.map(({ path, text, mode }) => ({ path, mode, blob: blob(text), size: text.length })),
    });
    const ci = await scene.ciToken();
    const sourceTree = { state: "ready", treeId, fileCount: 3 } as const;
    await scene.approved(ci, { record: { sourceTree, facts } });
    let names = 0;
    const upload = (parts: readonly Buffer[]): Promise<string> => {
      names += 1;
      return scene.outcome(ci, {
        method: "POST",
        path: `/apps/myapp/objects/tmp/s${String(names)}.tgz`,
        body: tarGz(parts),
      });
    };
    const manifest = tarFile("convox.yml", MANIFEST);
    const run = tarFile("bin/run", "#!/bin/sh\n", { mode: 0o755 });
    scene.simulator.forgetCalls();
    const link = tarLink("current", "bin/run");
    const wrong = [
      [manifest, tarFile("bin/run", "#!/bin/sH\n", { mode: 0o755 }), link],
      [manifest, run, link, tarFile("evil", "x")],
      [manifest, tarFile("bin/run", "#!/bin/sh\n"), link],
      [manifest, run, tarLink("current", "bin/../bin/run")],
      [manifest, run, tarFile("current", "bin/run")],
      [manifest, tarLink("bin/run", "../current"), link],
    ];
    for (const [at, parts] of wrong.entries()) expect([at, await upload(parts)]).toEqual([at, "422 source_mismatch"]);
    expect(scene.simulator.calls.filter(({ complete }) => complete)).toEqual([]);
    expect(await upload([manifest, run, link])).toBe("200");
  });

  it("deploy R-PROXY-7: 64 MiB are streamed under an approval, and the rack gets the same bytes", async () => {
    const ci = await scene.ciToken();
    const approval = await scene.approved(ci);
    const path = "/apps/myapp/objects/tmp/large.tgz";
    const upload = new SlowUpload(scene.base, `/api/v1/rack-proxy${path}`, { ...ci.bearer, Expect: "100-continue" });
    const piece = randomBytes(1_048_576);
    const pieces = function* (): Generator<Buffer> {
      yield tarFile("convox.yml", MANIFEST);
      yield tarBlock({ name: "data", size: 64 * piece.length });
      for (let number = 0; number < 64; number += 1) {
        piece.writeUInt32BE(number);
        yield Buffer.from(piece);
      }
      yield TAR_END;
    };
    const sent = createHash("sha256");
    for await (const chunk of Readable.from(pieces()).pipe(createGzip({ level: 0 }))) {
      if (!(chunk instanceof Uint8Array)) continue;
      sent.update(chunk);
      await upload.write(chunk);
    }
    expect((await upload.finish(Buffer.alloc(0))).status).toBe(200);
    const sha256 = sent.digest("hex");
    expect(scene.simulator.calls.find((one) => one.path === path)?.bodySha256).toBe(sha256);
    expect((await scene.stored(approval)).uploadCount).toBe(1);
    const [object] = await scene.at.app.reader.records(recordsBy("deployObject", "key", ["tmp/large.tgz"]));
    expect(object?.objectSha256).toBe(sha256);
  });
});

const NO_FACTS = {
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
