/** A deploy under an approval, from the archive to the promote, and what of it is refused: docs/spec/deploy.md sections 4 and 24.2. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { roleNamed } from "../../src/core/roles.ts";
import {
  COMMIT,
  FORM,
  MANIFEST,
  openDeployScene,
  OTHER_COMMIT,
  setGlobal,
  type DeployScene,
  type MadeApproval,
} from "../support/deploy-scene.ts";
import { jsonOf } from "../support/http-call.ts";
import { machineOf, tokenOf, type MadeToken } from "../support/machine-tokens.ts";
import { textMember } from "../support/rack-simulator/raw-rack-calls.ts";
import { must } from "../support/signed-in.ts";
import { SlowUpload } from "../support/slow-upload.ts";
import { paxHeader, tarBlock, tarFile, tarGz } from "../support/tar-archive.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { verifyDatabase } from "../support/verify-database.ts";

const ARCHIVE = tarGz([tarFile("convox.yml", MANIFEST), tarFile("Dockerfile", "FROM scratch\n")]);

const DAY = 86_400_000;

let names = 0;

describeOnEveryPostgres("a deploy through the rack proxy", (database) => {
  let scene: DeployScene;
  beforeAll(async () => {
    scene = await openDeployScene(database.url, { settings: { approved_deploy_commands: ["rake db:migrate"] } });
  });
  afterAll(async () => {
    expect(await verifyDatabase(database.url)).toEqual([]);
    await scene.close();
  });

  async function upload(
    ci: MadeToken,
    archive = ARCHIVE,
  ): Promise<{ readonly outcome: string; readonly url: string; readonly text: string }> {
    names += 1;
    const path = `/apps/myapp/objects/tmp/archive-${String(names)}.tgz`;
    const answer = await scene.call(ci, { method: "POST", path, body: archive });
    const code = answer.headers["x-countersign-code"];
    const outcome = [String(answer.status), ...(typeof code === "string" ? [code] : [])].join(" ");
    return { outcome, text: answer.text, url: answer.status === 200 ? textMember(jsonOf(answer), "Url") : "" };
  }

  function buildBody(url: string, more: Readonly<Record<string, string>> = {}): string {
    return new URLSearchParams({ url, "git-sha": COMMIT, ...more }).toString();
  }

  async function build(ci: MadeToken, url: string): Promise<string> {
    const body = buildBody(url);
    const answer = await scene.call(ci, { method: "POST", path: "/apps/myapp/builds", headers: FORM, body });
    expect(`${String(answer.status)} ${answer.text}`).toMatch(/^200 /);
    return textMember(jsonOf(answer), "id");
  }

  async function released(ci: MadeToken, buildId: string): Promise<string> {
    const answer = await scene.call(ci, { method: "GET", path: `/apps/myapp/builds/${buildId}` });
    expect(textMember(jsonOf(answer), "status")).toBe("complete");
    return textMember(jsonOf(answer), "release");
  }

  function promote(ci: MadeToken, release: string): Promise<string> {
    return scene.outcome(ci, { method: "POST", path: `/apps/myapp/releases/${release}/promote` });
  }

  /** Of which the rack has the beginning. */
  async function streaming(ci: MadeToken): Promise<{ readonly upload: SlowUpload; readonly rest: Buffer }> {
    const filler = tarFile("filler", randomBytes(200_000).toString("base64"));
    const archive = tarGz([tarFile("convox.yml", MANIFEST), filler], 0);
    names += 1;
    const path = `/apps/myapp/objects/tmp/slow-${String(names)}.tgz`;
    const headers = { ...ci.bearer, "Content-Length": String(archive.length) };
    const slow = new SlowUpload(scene.base, `/api/v1/rack-proxy${path}`, headers);
    await slow.write(archive.subarray(0, -1_000));
    await expect.poll(() => scene.simulator.calls.some((call) => call.path === path)).toBe(true);
    return { upload: slow, rest: archive.subarray(-1_000) };
  }

  it("deploy R-STATE-5: the approved commit goes from archive to promote, and the rack gets exactly these calls", async () => {
    const ci = await scene.ciToken();
    const approval = await scene.approved(ci);
    scene.takeCalls();
    const { url } = await upload(ci);
    const buildId = await build(ci, url);
    const release = await released(ci, buildId);
    const promoted = await scene.call(ci, { method: "POST", path: `/apps/myapp/releases/${release}/promote` });
    expect([promoted.status, promoted.text, promoted.headers["countersign-deploy-approval"]]).toEqual([
      200,
      "ok\n",
      approval.id,
    ]);
    const record = await scene.stored(approval);
    expect(record).toMatchObject({ objectUrl: url, releaseId: release, uploadCount: 1, deployedByTokenId: ci.id });
    expect(record.builds).toMatchObject([{ attempt: 1, id: buildId, status: "complete", releaseId: release }]);
    expect(record.promotes).toMatchObject([{ attempt: 1, releaseId: release, outcome: "deployed" }]);
    expect(record.deployedAt).not.toBeNull();
    expect(await scene.grantState(approval)).toBe("used");
    const calls = scene.takeCalls().filter((call) => !call.startsWith("GET"));
    expect(calls).toEqual([
      expect.stringMatching(/^POST \/apps\/myapp\/objects\/tmp\//),
      "POST /apps/myapp/builds",
      `POST /apps/myapp/releases/${release}/promote`,
    ]);
    const kinds = (await scene.kinds(approval)).filter((kind) => /^(?:deploy\.|grant\.used)/.test(kind));
    expect(kinds).toEqual([
      ...["deploy.call_intended", "deploy.object_uploaded", "deploy.call_ended"],
      ...["deploy.call_intended", "deploy.call_ended", "deploy.build_created", "deploy.call_read"],
      ...["deploy.call_intended", "grant.used", "deploy.call_ended", "deploy.release_promoted"],
    ]);
    expect(await promote(ci, release)).toBe("409 already_deployed");
  });

  it("deploy R-BIND-2: without an approval the first line is the guide's, then the reason and what helps", async () => {
    const ci = await scene.ciToken();
    const answer = await scene.call(ci, {
      method: "POST",
      path: "/apps/myapp/builds",
      headers: FORM,
      body: buildBody("object://myapp/tmp/x"),
    });
    expect(answer.status).toBe(403);
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(answer.text.split("\n").slice(0, 2)).toEqual([
      "No active deploy approval found for this commit",
      "No request was made with this credential.",
    ]);
    expect(answer.text).toContain("rack-gateway deploy-approval request --app myapp");
    const pending = await scene.approved(ci, { isApproved: false });
    expect((await upload(ci)).text).toContain(`Request ${pending.id} is pending since`);
  });

  it("deploy R-BIND-7: a build names the approved commit, in full, in a form of ours", async () => {
    const ci = await scene.ciToken();
    await scene.approved(ci);
    await scene.approved(ci, { commit: OTHER_COMMIT, app: "other" });
    const { url } = await upload(ci);
    const other = await scene.ciToken();
    await scene.approved(other);
    const { url: foreign } = await upload(other);
    scene.takeCalls();
    const attempts: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
      ["400 git_sha_required", FORM, new URLSearchParams({ url }).toString()],
      ["403 no_active_approval", FORM, buildBody(url, { "git-sha": COMMIT.slice(0, 12) })],
      ["403 no_active_approval", FORM, buildBody(url, { "git-sha": OTHER_COMMIT })],
      ["400 build_form", FORM, `${buildBody(url)}&git-sha=${COMMIT}`],
      ["400 build_form", { "Content-Type": "multipart/form-data; boundary=x" }, buildBody(url)],
      ["400 build_form", FORM, buildBody(url, { "evil-key": "1" })],
      ["403 build_arg", FORM, buildBody(url, { "build-args": "IMAGE=evil" })],
      ["403 build_option", FORM, buildBody(url, { external: "true" })],
      ["403 manifest_path", FORM, buildBody(url, { manifest: "evil.yml" })],
      ["403 object_unknown", FORM, buildBody("object://myapp/tmp/elsewhere.tgz")],
      ["403 object_unknown", FORM, buildBody(foreign)],
    ];
    for (const [expected, headers, body] of attempts) {
      const outcome = await scene.outcome(ci, { method: "POST", path: "/apps/myapp/builds", headers, body });
      expect([outcome, body]).toEqual([expected, body]);
    }
    const withQuery = await scene.outcome(ci, {
      method: "POST",
      path: "/apps/myapp/builds?manifest=evil.yml",
      headers: FORM,
      body: buildBody(url),
    });
    expect(withQuery).toBe("400 query_not_allowed");
    expect(scene.takeCalls()).toEqual([]);
    const sneaky = await scene.call(ci, {
      method: "POST",
      path: "/apps/myapp/builds",
      headers: { ...FORM, Url: "object://evil" },
      body: buildBody(url),
    });
    expect(sneaky.status).toBe(200);
    expect(scene.simulator.calls.find(({ method }) => method === "POST")?.headers["url"]).toBeUndefined();
  });

  it("deploy R-BIND-1: an approval is for one app, one rack and one token", async () => {
    const ci = await scene.ciToken();
    const sibling = await scene.ciToken();
    await scene.approved(ci);
    const object = { method: "POST", path: "/apps/myapp/objects/tmp/scoped.tgz", body: ARCHIVE } as const;
    scene.takeCalls();
    expect(await scene.outcome(sibling, object)).toBe("403 no_active_approval");
    expect(await scene.outcome(ci, { ...object, path: "/apps/other/objects/tmp/scoped.tgz" })).toBe(
      "403 no_active_approval",
    );
    expect(await scene.outcome(ci, object, "/racks/staging/api/v1/rack-proxy")).toBe("403 no_active_approval");
    expect([scene.takeCalls(), scene.other.calls.length]).toEqual([[], 0]);
  });

  it("deploy R-BIND-4: of an archive that is refused nothing complete reaches the rack", async () => {
    const ci = await scene.ciToken();
    await scene.approved(ci);
    const filler = tarFile("filler", Buffer.alloc(300_000, "x").toString());
    const twice = tarGz([tarFile("convox.yml", MANIFEST), filler, tarFile("./convox.yml", "services: {}\n")], 0);
    scene.simulator.forgetCalls();
    expect((await upload(ci, twice)).outcome).toBe("422 archive_form");
    expect((await upload(ci, Buffer.concat([ARCHIVE, ARCHIVE]))).outcome).toBe("422 archive_form");
    expect((await upload(ci, Buffer.from("no archive"))).outcome).toBe("422 archive_form");
    expect((await upload(ci, Buffer.alloc(0))).outcome).toBe("422 archive_form");
    const manifest = tarFile("convox.yml", MANIFEST);
    const hardLink = tarBlock({ name: "copy", link: "convox.yml", type: "1" });
    const sparse = tarBlock({ name: "holes", type: "S" });
    const renamed = [paxHeader({ path: "convox.yml" }), tarFile("innocent", "services: {}\n")];
    for (const parts of [[hardLink], [sparse], renamed]) {
      expect((await upload(ci, tarGz([manifest, filler, ...parts], 0))).outcome).toBe("422 archive_form");
    }
    expect(scene.simulator.calls.filter(({ complete, method }) => complete && method === "POST")).toEqual([]);
    const good = await upload(ci);
    expect(good.outcome).toBe("200");
    const call = scene.simulator.calls.find(
      ({ path }) => path.includes("/objects/") && path.endsWith(`${String(names)}.tgz`),
    );
    expect(call?.body.equals(ARCHIVE)).toBe(true);
  });

  it("deploy R-BIND-6: the first archive pins the content; the same from a fresh checkout passes, another one does not", async () => {
    const ci = await scene.ciToken();
    const approval = await scene.approved(ci);
    expect((await upload(ci)).outcome).toBe("200");
    const fresh = tarGz(
      [tarFile("Dockerfile", "FROM scratch\n", { mtime: 99 }), tarFile("convox.yml", MANIFEST, { mtime: 7 })],
      9,
    );
    expect((await upload(ci, fresh)).outcome).toBe("200");
    const changed = tarGz([tarFile("convox.yml", MANIFEST), tarFile("Dockerfile", "FROM scratcH\n")]);
    const refused = await upload(ci, changed);
    expect([refused.outcome, refused.text.split("\n")[1]]).toEqual(["409 archive_differs", "Dockerfile"]);
    const others = Array.from({ length: 25 }, (_, at) => tarFile(`f${String(at).padStart(2, "0")}`, "x"));
    const lines = (await upload(ci, tarGz([tarFile("convox.yml", MANIFEST), ...others]))).text.split("\n");
    expect([lines[1], lines[2], lines[20], lines[21]]).toEqual(["Dockerfile", "f00", "f18", "and 6 more"]);
    expect((await scene.stored(approval)).uploadCount).toBe(2);
  });

  it("deploy R-BIND-6: of two different archives at once one is accepted, and only that one is built", async () => {
    const ci = await scene.ciToken();
    await scene.approved(ci);
    const changed = tarGz([tarFile("convox.yml", MANIFEST), tarFile("Dockerfile", "FROM scratcH\n")]);
    const outcomes = await Promise.all([upload(ci), upload(ci, changed)]);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(["200", "409 archive_differs"]);
    expect(outcomes.find(({ outcome }) => outcome !== "200")?.text).toContain("\nDockerfile\n");
    await build(ci, outcomes.find(({ outcome }) => outcome === "200")?.url ?? "");
  });

  it("deploy R-BIND-5: a key that has a record is nobody's any more, and the first object stays as it is", async () => {
    const ci = await scene.ciToken();
    await scene.approved(ci);
    const path = "/apps/myapp/objects/tmp/taken.tgz";
    expect(await scene.outcome(ci, { method: "POST", path, body: ARCHIVE })).toBe("200");
    const admin = await scene.token(["convox:object:create"]);
    scene.simulator.forgetCalls();
    expect(await scene.outcome(ci, { method: "POST", path, body: ARCHIVE })).toBe("409 object_key_in_use");
    expect(await scene.outcome(admin, { method: "POST", path, body: ARCHIVE })).toBe("409 object_key_in_use");
    expect(scene.takeCalls()).toEqual([]);
  });

  it("deploy R-BIND-8: of two builds at once one is forwarded; a failed one may be tried again, five times", async () => {
    const ci = await scene.ciToken();
    const approval = await scene.approved(ci);
    const { url } = await upload(ci);
    const order = { method: "POST", path: "/apps/myapp/builds", headers: FORM, body: buildBody(url) } as const;
    scene.takeCalls();
    const outcomes = await Promise.all([scene.outcome(ci, order), scene.outcome(ci, order)]);
    expect(outcomes.sort()).toEqual(["200", "409 build_exists"]);
    expect(scene.takeCalls().filter((call) => call === "POST /apps/myapp/builds")).toHaveLength(1);
    expect(await scene.outcome(ci, order)).toBe("409 build_exists");
    expect((await scene.stored(approval)).builds).toHaveLength(1);
    const other = await scene.ciToken();
    await scene.approved(other);
    const body = buildBody((await upload(other)).url);
    const again = (): Promise<string> =>
      scene.outcome(other, { method: "POST", path: "/apps/myapp/builds", headers: FORM, body });
    const off = scene.simulator.faults.add({ method: "POST", path: "/apps/{app}/builds", kind: "status", status: 500 });
    for (let attempt = 1; attempt <= 5; attempt += 1) expect(await again()).toBe("500");
    off();
    expect(await again()).toBe("409 build_attempts");
  });

  it("deploy R-BIND-9: build and release are what the rack says they are, also at once; what it does not say nobody else says", async () => {
    const cases: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
      ['{"id":"BONE","status":"complete","release":"RONE"}', { id: "BONE", status: "complete", releaseId: "RONE" }],
      ['{"id":"BTWO","status":"running"}', { id: "BTWO", status: "running", releaseId: null }],
      ["ok", { id: null, releaseId: null }],
      ['{"status":"complete","release":"RTHREE"}', { id: null, releaseId: null }],
    ];
    for (const [text, told] of cases) {
      const ci = await scene.ciToken();
      const approval = await scene.approved(ci);
      const { url } = await upload(ci);
      const order = { method: "POST", path: "/apps/{app}/builds" } as const;
      scene.simulator.faults.add({ ...order, kind: "status", status: 200, text, times: 1 });
      const body = buildBody(url);
      const path = "/apps/myapp/builds";
      const headers = { ...FORM, "X-Build-Id": "BMINE", "X-Release": "RMINE" };
      expect(await scene.outcome(ci, { method: "POST", path, headers, body })).toBe("200");
      const stored = await scene.stored(approval);
      expect([text, stored.builds]).toMatchObject([text, [{ attempt: 1, ...told }]]);
      expect([text, stored.releaseId]).toEqual([text, told["releaseId"]]);
      expect(await promote(ci, "RMINE")).toBe("409 release_mismatch");
    }
  });

  it("deploy R-STATE-7: a promote that the rack refuses leaves the approval, and may be repeated", async () => {
    const ci = await scene.ciToken();
    const approval = await scene.approved(ci);
    const release = await released(ci, await build(ci, (await upload(ci)).url));
    scene.simulator.faults.add({
      method: "POST",
      path: "/apps/{app}/releases/{id}/promote",
      kind: "status",
      status: 500,
      times: 1,
    });
    expect(await promote(ci, release)).toBe("500");
    expect(await scene.grantState(approval)).toBe("active");
    expect(await promote(ci, release)).toBe("200");
    expect(await scene.grantState(approval)).toBe("used");
  });

  it("deploy R-STATE-6: of two promotes at once one is forwarded", async () => {
    const ci = await scene.ciToken();
    await scene.approved(ci);
    const release = await released(ci, await build(ci, (await upload(ci)).url));
    scene.takeCalls();
    const outcomes = await Promise.all([promote(ci, release), promote(ci, release)]);
    expect(outcomes.sort()[0]).toBe("200");
    expect(outcomes.sort()[1]).toMatch(/^409 (?:promote_in_progress|already_deployed)$/);
    expect(scene.takeCalls().filter((call) => call.endsWith("/promote"))).toHaveLength(1);
  });

  it("deploy R-BIND-10: a release of another build, or of nobody's, is not promoted", async () => {
    const ci = await scene.ciToken();
    await scene.approved(ci);
    await build(ci, (await upload(ci)).url);
    const running = scene.simulator.apps.get("myapp")?.releases[0]?.id ?? "";
    scene.takeCalls();
    expect(await promote(ci, "RNOSUCHONE")).toBe("409 release_mismatch");
    if (running !== "") expect(await promote(ci, running)).toBe("409 release_mismatch");
    const other = await scene.ciToken();
    await scene.approved(other);
    const foreign = await released(other, await build(other, (await upload(other)).url));
    expect(await promote(ci, foreign)).toBe("409 release_mismatch");
    const operator = await scene.token(["convox:release:create", "convox:env:set", "convox:env:read"]);
    const body = new URLSearchParams({ env: `PORT=4000\nAPI_TOKEN=${"*".repeat(20)}` }).toString();
    const made = await scene.call(operator, { method: "POST", path: "/apps/myapp/releases", headers: FORM, body });
    expect(await promote(ci, textMember(jsonOf(made), "id"))).toBe("409 release_mismatch");
    expect(scene.takeCalls().filter((call) => call.endsWith("/promote"))).toEqual([]);
    const path = "/apps/myapp/releases/RX/promote";
    expect(await scene.outcome(ci, { method: "POST", path, headers: FORM, body: "development=true" })).toBe(
      "403 build_option",
    );
  });

  it("deploy R-IMAGE-3: an image must be tagged with the commit", async () => {
    const attempts: readonly (readonly [string, string])[] = [
      ["200", `myorg/app:${COMMIT}-amd64`],
      ["422 image_repository", `evil/app:${COMMIT}`],
      ["422 image_pattern", `myorg/app:evil-${COMMIT}`],
      ["422 image_pattern", `myorg/app:\${TAG}`],
    ];
    for (const [expected, image] of attempts) {
      const ci = await scene.ciToken();
      await scene.approved(ci);
      const { url } = await upload(ci, tarGz([tarFile("convox.yml", `services:\n  web:\n    image: ${image}\n`)]));
      const outcome = await scene.outcome(ci, {
        method: "POST",
        path: "/apps/myapp/builds",
        headers: FORM,
        body: buildBody(url),
      });
      expect([image, outcome]).toEqual([image, expected]);
    }
  });

  it("deploy R-EXPIRY-3: after the end of the window nothing new begins", async () => {
    const ci = await scene.ciToken();
    await scene.approved(ci);
    expect((await upload(ci)).outcome).toBe("200");
    scene.at.advance(15 * 60_000 + 1);
    const late = await upload(ci);
    expect([late.outcome, late.text.includes("expired at")]).toEqual(["403 no_active_approval", true]);
  });

  it("deploy R-EXPIRY-3: an archive that was admitted in time may arrive late, and a build after the window is refused", async () => {
    const ci = await scene.ciToken();
    const approval = await scene.approved(ci);
    const slow = await streaming(ci);
    scene.at.advance(15 * 60_000 + 1);
    const answer = await slow.upload.finish(slow.rest);
    expect([answer.status, answer.headers["countersign-deploy-approval"]]).toEqual([200, approval.id]);
    const body = buildBody(textMember(jsonOf(answer), "Url"));
    const refused = await scene.call(ci, { method: "POST", path: "/apps/myapp/builds", headers: FORM, body });
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining("expired at")]);
  });

  it("deploy R-STATE-9, R-LOGIN-3: an upload is cut off when its token is revoked or expires, or its approval is taken back", async () => {
    const ends: readonly ((ci: MadeToken, approval: MadeApproval) => Promise<unknown>)[] = [
      async (ci) => must(await scene.admin.delete(`/tokens/${ci.id}`, { fresh: true }), 204),
      async (_, { requestId }) =>
        must(await scene.admin.post(`/requests/${requestId}/grant/revoke`, { comment: "stop" }), 200),
      () => {
        scene.at.advance(DAY);
        return Promise.resolve();
      },
    ];
    for (const end of ends) {
      const scopes = roleNamed("cicd")?.permissions ?? [];
      const ci = await tokenOf(scene.admin, await machineOf(scene.admin), { scopes, expires_in_days: 1 });
      const approval = await scene.approved(ci);
      scene.simulator.forgetCalls();
      const { upload: cut } = await streaming(ci);
      const since = performance.now();
      await end(ci, approval);
      const answer = await cut.answer;
      expect(performance.now() - since).toBeLessThan(5_000);
      expect([answer.status, answer.headers["x-countersign-code"]]).toEqual([403, "no_active_approval"]);
      expect(answer.text).toContain("Access was revoked while the archive was being uploaded.");
      expect(scene.simulator.calls.map(({ complete }) => complete)).toEqual([false]);
      expect(await scene.stored(approval)).toMatchObject({ uploadCount: 0, objectUrl: null });
    }
    // The day ended the administrator's session as well.
    scene.admin.forgetCookies();
    must(await scene.admin.signIn(), 201);
  });

  it("deploy R-REQ-15, R-LOGIN-3: whoever needs an approval beside a permission of their own keeps access by that permission", async () => {
    await setGlobal(scene, "deploy_approval_required_for", "tokens");
    try {
      const own = await scene.token(["convox:object:create"]);
      const revoked = await scene.ciToken();
      await Promise.all([scene.approved(own), scene.approved(revoked)]);
      const [kept, cut] = [await streaming(own), await streaming(revoked)];
      must(await scene.admin.delete(`/tokens/${revoked.id}`, { fresh: true }), 204);
      // One look asks about both.
      expect((await cut.upload.answer).status).toBe(403);
      expect((await kept.upload.finish(kept.rest)).status).toBe(200);
    } finally {
      await setGlobal(scene, "deploy_approval_required_for", "gated");
    }
  });
});
