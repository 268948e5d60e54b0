/** People, factors and switches at the rack proxy: docs/spec/deploy.md R-MFA-1 to R-MFA-4, R-REQ-14, R-REQ-15, R-SOURCE-3. */
import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { COMMIT, FORM, MANIFEST, openDeployScene, type DeployScene } from "../support/deploy-scene.ts";
import { callOver, jsonOf } from "../support/http-call.ts";
import { textMember } from "../support/rack-simulator/raw-rack-calls.ts";
import type { TestBrowser } from "../support/signed-in.ts";
import { tarFile, tarGz } from "../support/tar-archive.ts";
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

  it("deploy R-SOURCE-3: an archive with one changed byte, one more file or another bit is not the commit", async () => {
    const files = [
      { path: "convox.yml", text: MANIFEST, mode: "100644" },
      { path: "bin/run", text: "#!/bin/sh\n", mode: "100755" },
    ];
    const blob = (text: string): string =>
      createHash("sha1")
        .update(`blob ${String(Buffer.byteLength(text))}\0${text}`)
        .digest("hex");
    const treeId = createHash("sha1").update(randomUUID()).digest("hex");
    await scene.at.app.scratch.add("deployTree", {
      ...{ id: `myorg/app@${treeId}`, orgId: scene.at.app.orgId, objectFormat: "sha1", readAt: scene.at.app.clock() },
      files: files.map(({ path, text, mode }) => ({ path, mode, blob: blob(text), size: text.length })),
    });
    const ci = await scene.ciToken();
    const sourceTree = { state: "ready", treeId, fileCount: 2 } as const;
    const facts = { ...NO_FACTS, repository: "myorg/app" };
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
    expect(await upload([manifest, tarFile("bin/run", "#!/bin/sH\n", { mode: 0o755 })])).toBe("422 source_mismatch");
    expect(await upload([manifest, run, tarFile("evil", "x")])).toBe("422 source_mismatch");
    expect(await upload([manifest, tarFile("bin/run", "#!/bin/sh\n")])).toBe("422 source_mismatch");
    expect(scene.simulator.calls.filter(({ complete }) => complete)).toEqual([]);
    expect(await upload([manifest, run])).toBe("200");
  });

  it("deploy R-PROXY-7: a large body is streamed, and the rack gets the same bytes", async () => {
    const token = await scene.token(["convox:object:create"]);
    const filler = Buffer.alloc(8_000_000);
    for (let at = 0; at < filler.length; at += 4) filler.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
    const archive = tarGz([tarFile("convox.yml", MANIFEST), tarFile("data", filler)], 1);
    const path = "/apps/myapp/objects/tmp/large.tgz";
    const answer = await callOver(scene.base, {
      ...{
        method: "POST",
        path: `/api/v1/rack-proxy${path}`,
        headers: { ...token.bearer, Expect: "100-continue" },
        body: archive,
      },
    });
    expect(answer.status).toBe(200);
    const call = scene.simulator.calls.find((one) => one.path === path);
    expect(call?.bodySha256).toBe(createHash("sha256").update(archive).digest("hex"));
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
