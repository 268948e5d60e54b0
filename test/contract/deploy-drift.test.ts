/** What changes between an approval and its deploy: digests of images, the environment, the active release, a rack's parameters. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { manifestReader } from "../../src/adapters/manifest/manifest-reader.ts";
import { createGuardedFetch } from "../../src/adapters/outbound/guarded-fetch.ts";
import { createImageRegistries } from "../../src/adapters/registry/image-registries.ts";
import { createDeploySettingsDesk } from "../../src/app/deploy/settings-desk.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import type { EnvironmentSetting } from "../../src/gates/deploy/environment-settings.ts";
import { FORM, openDeployScene, type DeployScene, type MadeApproval } from "../support/deploy-scene.ts";
import { jsonOf } from "../support/http-call.ts";
import type { MadeToken } from "../support/machine-tokens.ts";
import { textMember } from "../support/rack-simulator/raw-rack-calls.ts";
import { RegistrySimulator } from "../support/registry-simulator/registry-simulator.ts";
import { must } from "../support/signed-in.ts";
import { tarFile, tarGz } from "../support/tar-archive.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

const REGISTRY = "registry.example.com";
const IMAGE = `${REGISTRY}/myorg/app:stable`;
const ARCHIVE = archiveOf(IMAGE);

function archiveOf(image: string): Buffer {
  return tarGz([tarFile("convox.yml", `services:\n  web:\n    image: ${image}\n`)]);
}

describe("between an approval and its deploy", () => {
  let database: TestDatabase;
  let scene: DeployScene;
  let registry: RegistrySimulator;
  const environment: EnvironmentSetting[] = [];
  let commits = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    registry = await RegistrySimulator.open();
    const { url, username, password } = registry;
    const credential = { username, password };
    scene = await openDeployScene(database.url, {
      application: { settings: { notifier: { adminAddresses: ["ops@example.com"] } } },
      deploy: {
        settings: createDeploySettingsDesk({ environment, patterns: () => null, clock: () => Date.now() }),
        manifests: manifestReader,
        registries: createImageRegistries({
          registries: [{ name: REGISTRY, url, tokenHost: new URL(url).host, credential }],
          fetch: createGuardedFetch({ allow: [], allowHttp: false, development: true }),
        }),
      },
    });
  });
  afterAll(async () => {
    await scene.close();
    await registry.close();
    await database.drop();
  });
  afterEach(() => {
    set({});
    scene.simulator.forgetCalls();
  });

  /** The app's settings, besides that its images are named by any tag. */
  function set(settings: Readonly<Record<string, JsonValue>>): void {
    const all = { service_image_patterns: { "*": ".*" }, image_repositories: [`${REGISTRY}/*`], ...settings };
    const rows = Object.entries(all).map(([key, value]) => ({ key, value }));
    environment.splice(0, environment.length);
    environment.push(...rows.map((row) => ({ scope: null, app: "myapp", envVar: `RGW_${row.key}`, ...row })));
    scene.at.app.deploy.settings.drop();
  }

  function commit(): string {
    commits += 1;
    return commits.toString(16).padStart(40, "c");
  }

  async function upload(ci: MadeToken, archive = ARCHIVE): Promise<string> {
    commits += 1;
    const path = `/apps/myapp/objects/tmp/drift-${String(commits)}.tgz`;
    const answer = await scene.call(ci, { method: "POST", path, body: archive });
    expect(`${String(answer.status)} ${answer.text}`).toMatch(/^200 /);
    return textMember(jsonOf(answer), "Url");
  }

  function build(ci: MadeToken, url: string, gitSha: string): ReturnType<DeployScene["call"]> {
    const body = new URLSearchParams({ url, "git-sha": gitSha }).toString();
    return scene.call(ci, { method: "POST", path: "/apps/myapp/builds", headers: FORM, body });
  }

  async function released(ci: MadeToken, url: string, gitSha: string): Promise<string> {
    const made = await build(ci, url, gitSha);
    expect(`${String(made.status)} ${made.text}`).toMatch(/^200 /);
    const answer = await scene.call(ci, {
      method: "GET",
      path: `/apps/myapp/builds/${textMember(jsonOf(made), "id")}`,
    });
    return textMember(jsonOf(answer), "release");
  }

  function promote(ci: MadeToken, release: string): ReturnType<DeployScene["call"]> {
    return scene.call(ci, { method: "POST", path: `/apps/myapp/releases/${release}/promote` });
  }

  async function shown({ id }: MadeApproval): Promise<JsonObject> {
    return must(await scene.admin.get(`root:/api/v1/deploy-approval-requests/${id}`), 200);
  }

  /** Approved, uploaded and built. */
  async function ready(): Promise<{ ci: MadeToken; approval: MadeApproval; release: string }> {
    const ci = await scene.ciToken();
    const gitSha = commit();
    const approval = await scene.approved(ci, { commit: gitSha });
    return { ci, approval, release: await released(ci, await upload(ci), gitSha) };
  }

  function promotes(): readonly string[] {
    return scene.takeCalls().filter((call) => call.endsWith("/promote"));
  }

  it("deploy R-IMAGE-8: what a tag leads to is recorded with the build and shown; off asks nobody", async () => {
    const digest = registry.push("myorg/app", "stable", "recorded");
    set({ image_digest_resolution: "record" });
    const { approval } = await ready();
    expect((await shown(approval))["images"]).toEqual([{ service: "web", image: IMAGE, digest }]);
    expect((await scene.stored(approval)).imageDigests).toMatchObject([{ key: "web", digest, why: null }]);
    const change = "update deploy_approvals set image_digests = $2, entry_seq = entry_seq + 1 where id = $1";
    for (const written of ["[]", '[{"key":"web","image":"other","digest":null,"why":null,"at":1}]']) {
      await expect(scene.at.pool.query(change, [approval.id, written])).rejects.toThrow("cannot be changed");
    }
    registry.server.calls.splice(0);
    set({});
    const off = await ready();
    expect(registry.server.calls).toEqual([]);
    expect((await shown(off.approval))["images"]).toEqual([{ service: "web", image: IMAGE }]);
  });

  it("deploy R-IMAGE-7, R-IMAGE-4: first use of a repository and what the rack builds are shown, digests asked for or not", async () => {
    set({ image_repositories: null, service_image_patterns: { api: ".*" } });
    const ci = await scene.ciToken();
    const gitSha = commit();
    const approval = await scene.approved(ci, { commit: gitSha });
    const image = `${REGISTRY}/elsewhere/new:stable`;
    const services = `services:\n  web:\n    build: .\n  api:\n    image: ${image}\n`;
    await released(ci, await upload(ci, tarGz([tarFile("convox.yml", services)])), gitSha);
    const { images, warnings } = await shown(approval);
    expect(images).toEqual([
      { service: "api", image, first_use: true },
      { service: "web", image: "", built: true },
    ]);
    expect(warnings).toMatchObject([{ code: "image_first_use" }]);
  });

  it("deploy R-IMAGE-8: a tag that leads nowhere is a warning where digests are recorded, and refused where they are enforced", async () => {
    const ci = await scene.ciToken();
    const gitSha = commit();
    const approval = await scene.approved(ci, { commit: gitSha });
    const url = await upload(ci, archiveOf(`${REGISTRY}/myorg/app:missing`));
    set({ image_digest_resolution: "enforce" });
    scene.takeCalls();
    const refused = await build(ci, url, gitSha);
    expect([refused.status, refused.headers["x-countersign-code"]]).toEqual([422, "image_pattern"]);
    expect(refused.text).toContain(`${REGISTRY} has no such image`);
    expect(scene.takeCalls().filter((call) => call.startsWith("POST"))).toEqual([]);
    set({ image_digest_resolution: "record" });
    expect((await build(ci, url, gitSha)).status).toBe(200);
    const { images, warnings } = await shown(approval);
    expect(images).toMatchObject([{ service: "web", why_no_digest: `${REGISTRY} has no such image` }]);
    expect(warnings).toMatchObject([{ code: "image_digest_unknown" }]);
  });

  it("deploy R-IMAGE-8: a digest of the request is binding in every mode, when it is built and when it is promoted", async () => {
    const requested = registry.push("myorg/app", "stable", "requested");
    const asked = async (archive: Buffer) => {
      const [ci, gitSha] = [await scene.ciToken(), commit()];
      const approval = await scene.approved(ci, {
        commit: gitSha,
        record: { images: { web: `${REGISTRY}/myorg/app@${requested}` } },
      });
      return { ci, gitSha, approval, url: await upload(ci, archive) };
    };
    const tagged = await asked(ARCHIVE);
    const refusal = "is not the image of the request";
    const outcome = ({ status, text }: Awaited<ReturnType<typeof build>>) => `${String(status)} ${text}`;
    expect(outcome(await build(tagged.ci, tagged.url, tagged.gitSha))).toMatch(
      new RegExp(`^422 .*${refusal}\n.*the manifest no digest: no registry was asked`),
    );
    const written = await asked(archiveOf(`${REGISTRY}/myorg/app:stable@${requested}`));
    const release = await released(written.ci, written.url, written.gitSha);
    expect((await promote(written.ci, release)).status).toBe(200);
    set({ image_digest_resolution: "record" });
    const built = await released(tagged.ci, tagged.url, tagged.gitSha);
    scene.takeCalls();
    registry.push("myorg/app", "stable", "not the requested one");
    expect(outcome(await promote(tagged.ci, built))).toMatch(new RegExp(`^422 .*${refusal}`));
    expect(promotes()).toEqual([]);
    registry.push("myorg/app", "stable", "requested");
    expect((await promote(tagged.ci, built)).status).toBe(200);
  });

  it("deploy R-BIND-11: a tag that moved between build and promote is refused, 100 of 100", async () => {
    set({ image_digest_resolution: "enforce" });
    const old = registry.push("myorg/app", "stable", "approved");
    const tokens: MadeToken[] = [];
    for (let at = 0; at < 10; at += 1) tokens.push(await scene.ciToken());
    const tens = await Promise.all(tokens.map(tenReleases));
    const fresh = registry.push("myorg/app", "stable", "another");
    scene.takeCalls();
    const tried = await Promise.all(tens.map(({ ci, releases }) => inTurn(releases, (one) => promote(ci, one))));
    const answers = tried.flat();
    const told = answers.map(({ status, headers, text }) => [status, headers["x-countersign-code"], text]);
    const refused = [
      "image digest changed since it was recorded",
      `web: was ${old}, is ${fresh}`,
      "Make a new approval request.\n",
    ].join("\n");
    expect(told).toEqual(Array.from({ length: 100 }, () => [409, "approval_stale", refused]));
    expect(promotes()).toEqual([]);
    // The recorded digest stays pinned, and what was found once is not forgotten when the tag comes back.
    registry.push("myorg/app", "stable", "approved");
    const [first] = tens;
    const [approval] = first?.approvals ?? [];
    if (first === undefined || approval === undefined) throw new Error("nothing was approved");
    expect((await promote(first.ci, first.releases[0] ?? "")).status).toBe(409);
    expect((await shown(approval))["image_change"]).toMatchObject({ service: "web", recorded: old, found: fresh });
    expect((await scene.kinds(approval)).filter((kind) => kind === "deploy.image_changed")).toHaveLength(1);
  }, 60_000);

  async function inTurn<Given, Made>(all: readonly Given[], act: (one: Given) => Promise<Made>): Promise<Made[]> {
    const made: Made[] = [];
    for (const one of all) made.push(await act(one));
    return made;
  }

  /** Of one token: ten approved commits, one archive that can be of each of them, and ten builds. */
  async function tenReleases(ci: MadeToken): Promise<{ ci: MadeToken; approvals: MadeApproval[]; releases: string[] }> {
    const shas = Array.from({ length: 10 }, commit);
    const approvals = await inTurn(shas, (gitSha) => scene.approved(ci, { commit: gitSha }));
    const url = await upload(ci);
    return { ci, approvals, releases: await inTurn(shas, (gitSha) => released(ci, url, gitSha)) };
  }

  it("deploy R-BIND-11: a tag that still leads to the recorded digest is promoted", async () => {
    set({ image_digest_resolution: "enforce" });
    registry.push("myorg/app", "stable", "approved");
    const { ci, release } = await ready();
    expect((await promote(ci, release)).status).toBe(200);
  });

  it("deploy R-SOURCE-1: where the source has to be verified since, an upload says why it cannot be, and only a request of its own helps", async () => {
    const ci = await scene.ciToken();
    await scene.approved(ci, { commit: commit() });
    set({ verify_source: "enforce" });
    const path = "/apps/myapp/objects/tmp/unknown.tgz";
    const answer = await scene.call(ci, { method: "POST", path, body: ARCHIVE });
    expect([answer.status, answer.text]).toEqual([
      ...[409, "the commit's files are not known\nno repository configured\nMake a new approval request.\n"],
    ]);
  });

  it("deploy R-BIND-12: what changed since the approval is an entry and shown, without a value, and refused by nobody", async () => {
    const ci = await scene.ciToken();
    const gitSha = commit();
    const approval = await scene.approved(ci, { commit: gitSha });
    const { rackState } = await scene.stored(approval);
    expect(Object.keys(rackState?.environment?.keys ?? {}).sort()).toEqual(["API_TOKEN", "PORT"]);
    expect(JSON.stringify(rackState)).not.toMatch(/hush|3000/);
    const url = await upload(ci);
    scene.simulator.setActiveRelease("myapp", { env: { PORT: "loudest", API_TOKEN: "louder" } });
    expect((await promote(ci, await released(ci, url, gitSha))).status).toBe(200);
    const { drift } = await shown(approval);
    expect(drift).toMatchObject({ environment: { added: [], removed: [], changed: ["API_TOKEN", "PORT"] } });
    expect(isJsonObject(drift) && drift["active_release"]).toMatchObject({ approved: rackState?.release });
    expect(await scene.kinds(approval)).toContain("deploy.drift_found");
    expect(JSON.stringify([drift, ...(await scene.circumstances("deploy.drift_found"))])).not.toMatch(/loud/);
  });

  it("deploy R-BIND-12: nothing is told where nothing changed", async () => {
    const { ci, approval, release } = await ready();
    expect((await promote(ci, release)).status).toBe(200);
    expect((await shown(approval))["drift"]).toBeUndefined();
    expect(await scene.kinds(approval)).not.toContain("deploy.drift_found");
  });

  it("deploy R-BIND-12: denied drift is refused and recorded; what is as it was goes through", async () => {
    set({ drift_env: "deny" });
    const ci = await scene.ciToken();
    const gitSha = commit();
    scene.simulator.setActiveRelease("myapp", { env: { PORT: "1" } });
    const approval = await scene.approved(ci, { commit: gitSha });
    const url = await upload(ci);
    scene.simulator.setActiveRelease("myapp", { env: { PORT: "2" } });
    const release = await released(ci, url, gitSha);
    for (const round of [1, 2]) {
      const refused = await promote(ci, release);
      expect([round, refused.status, refused.text]).toEqual([
        ...[round, 409, "the environment changed since approval\nChanged: PORT.\nMake a new approval request.\n"],
      ]);
    }
    expect(promotes()).toEqual([]);
    expect((await scene.kinds(approval)).filter((kind) => kind === "deploy.drift_found")).toHaveLength(1);
    set({ drift_base: "deny" });
    expect((await promote(ci, release)).text).toContain("the active release changed since approval");
    set({ drift_env: "deny", drift_base: "deny" });
    const second = await ready();
    expect((await promote(second.ci, second.release)).status).toBe(200);
  });

  it("deploy R-BIND-12: where drift is denied, nobody approves while the rack does not tell what runs", async () => {
    set({ drift_env: "deny" });
    const ci = await scene.ciToken();
    const approval = await scene.approved(ci, { commit: commit(), isApproved: false });
    const off = scene.simulator.faults.add({ method: "GET", path: "/apps/{app}", kind: "status", status: 500 });
    await expect(scene.approve(approval)).rejects.toThrow();
    off();
    await scene.approve(approval);
    expect((await scene.stored(approval)).rackState).not.toBeNull();
  });

  it("deploy R-RACK-5: changed parameters of a rack are an entry with masked secrets, and a mail to administrators", async () => {
    const { simulator } = scene;
    Object.assign(simulator.rack.parameters, { node_type: "small", docker_hub_password: "old-hush" });
    const body = new URLSearchParams({ parameters: "node_type=large&docker_hub_password=new-hush" }).toString();
    const put = { method: "PUT", path: "/system", headers: FORM, body } as const;
    const token = await scene.token(["convox:rack:update"]);
    expect(await scene.outcome(token, put)).toBe("200");
    const [told] = await scene.circumstances("deploy.rack_params_set");
    const mask = "********************";
    expect(told?.["differences"]).toEqual([
      { name: "docker_hub_password", old: mask, new: mask },
      { name: "node_type", old: "small", new: "large" },
    ]);
    const mails = await scene.at.pool.query<{ payload: JsonObject }>(
      "select payload from effects where payload ->> 'message' = 'rack_params_set'",
    );
    expect(mails.rows).toMatchObject([
      { payload: { message: "rack_params_set", to: { address: "ops@example.com" }, data: { rack: "production" } } },
    ]);
    expect(JSON.stringify([told, mails.rows])).not.toContain("hush");
    const audit = must(await scene.admin.get("root:/api/v1/audit-logs?search=rack.params.set&range=all"), 200);
    expect(audit["total"]).toBe(1);
    // The same once more changes nothing, and what cannot be read before is not changed.
    expect(await scene.outcome(token, put)).toBe("200");
    expect(await scene.circumstances("deploy.rack_params_set")).toHaveLength(1);
    const off = simulator.faults.add({ method: "GET", path: "/system", kind: "status", status: 500 });
    scene.takeCalls();
    expect(await scene.outcome(token, put)).toBe("502 rack_unreachable");
    expect(scene.takeCalls()).toEqual(["GET /system"]);
    off();
  });
});
