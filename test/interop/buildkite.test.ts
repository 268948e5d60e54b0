/** Our Buildkite adapter against a simulator with the wire of API v2: docs/spec/deploy.md R-CI-7. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBuildkite } from "../../src/adapters/buildkite/buildkite.ts";
import { createProviderExchange } from "../../src/adapters/outbound/provider-exchange.ts";
import type { CiSettings } from "../../src/gates/deploy/ci-outcome.ts";
import type { CiProvider, CiRequest } from "../../src/ports/ci-provider.ts";
import { openBuildkiteSimulator, type BuildkiteSimulator } from "../support/buildkite-simulator/buildkite-simulator.ts";

const commit = "a".repeat(40);
const settings: CiSettings = {
  ...{ provider: "buildkite", vcsProvider: "github", vcsRepo: "MyOrg/myapp", approvalJobName: "", autoApprove: false },
  ...{ cancelOnRejection: true, githubEnvironment: null, webhookUrl: null },
};

let buildkite: BuildkiteSimulator;

beforeEach(async () => {
  buildkite = await openBuildkiteSimulator();
});

afterEach(async () => {
  await buildkite.close();
});

function adapter(token = buildkite.token): CiProvider {
  return createBuildkite(
    { apiUrl: buildkite.url, token, githubUrl: null, timeoutMs: 2_000 },
    createProviderExchange(fetch),
  );
}

function request(
  number: number,
  changed: Partial<CiSettings> = {},
  members: Readonly<Record<string, string>> = {},
): CiRequest {
  const named = { organization: "my-org", pipeline: "deploy-app", build_number: number, step_key: "approve" };
  return {
    ...{ scope: "production", app: "myapp", commit, settings: { ...settings, ...changed }, object: {} },
    ...{ metadata: { ...named, ...members }, comment: "", effectId: "eff_1" },
  };
}

const puts = () => buildkite.log.filter((line) => line.startsWith("PUT"));

it("deploy R-CI-7: a block step is unblocked once", async () => {
  const { number, blocks } = buildkite.addBuild(commit);
  expect(await adapter().verify(request(number))).toEqual({ kind: "matches", status: "blocked" });
  expect(await adapter().unblock(request(number))).toEqual({ result: "done", record: { job_id: blocks[0]?.id } });
  expect(await adapter().unblock(request(number))).toEqual({ result: "done", record: { already: true } });
  expect(blocks[0]?.state).toBe("unblocked");
  expect(puts()).toHaveLength(1);
});

it("deploy R-CI-7: a step that cannot be unblocked yet is asked again, one of an ended build is not", async () => {
  const build = buildkite.addBuild(commit);
  const [block] = build.blocks;
  if (block !== undefined) block.unblockable = false;
  expect((await adapter().unblock(request(build.number))).result).toBe("retry");
  build.state = "canceled";
  expect(await adapter().unblock(request(build.number))).toMatchObject({ result: "permanent", code: "ci_job_ended" });
  expect(puts()).toEqual([]);
});

describe("a build that is not the app's", () => {
  it("deploy R-CI-7 case 58: another commit or repository is never unblocked, nor cancelled", async () => {
    const other = buildkite.addBuild("b".repeat(40));
    const foreign = buildkite.addBuild(commit);
    foreign.repository = "https://github.com/MyOrg/other.git";
    for (const { number } of [other, foreign]) {
      expect(await adapter().unblock(request(number))).toMatchObject({
        result: "permanent",
        code: "ci_workflow_mismatch",
      });
      expect(await adapter().close(request(number), "rejected")).toMatchObject({ code: "ci_workflow_mismatch" });
      expect(await adapter().verify(request(number))).toMatchObject({ kind: "problems" });
    }
    expect(puts()).toEqual([]);
  });

  it("deploy R-CI-7: where no repository is said, the commit decides", async () => {
    const build = buildkite.addBuild(commit);
    build.repository = null;
    expect((await adapter().unblock(request(build.number))).result).toBe("done");
    const free = buildkite.addBuild(commit);
    expect((await adapter().unblock(request(free.number, { vcsRepo: null }))).result).toBe("done");
  });

  it("deploy R-CI-7: a commit that Buildkite has yet to look up is waited for", async () => {
    const { number } = buildkite.addBuild("HEAD");
    expect((await adapter().unblock(request(number))).result).toBe("retry");
  });

  it.each([
    ["an unknown build", { build_number: "77" }, "ci_workflow_not_found"],
    ["another organization", { organization: "elsewhere" }, "ci_workflow_not_found"],
    ["a way out", { pipeline: "../.." }, "ci_not_configured"],
    ["a step that is not there", { step_key: "other" }, "ci_job_not_found"],
    ["a step that is no block", { step_key: "test" }, "ci_job_not_found"],
  ])("deploy R-CI-8: %s", async (_name, members, code) => {
    const { number } = buildkite.addBuild(commit);
    expect(await adapter().unblock(request(number, {}, members))).toMatchObject({ result: "permanent", code });
    expect(puts()).toEqual([]);
  });
});

it("deploy R-CI-7: a build is cancelled by setting, once, and only when people ended the request", async () => {
  const build = buildkite.addBuild(commit);
  expect((await adapter().close(request(build.number, { cancelOnRejection: false }), "rejected")).result).toBe("done");
  expect((await adapter().close(request(build.number), "expired")).result).toBe("done");
  expect(build.state).toBe("blocked");
  expect((await adapter().close(request(build.number), "superseded")).result).toBe("done");
  expect(await adapter().close(request(build.number), "superseded")).toMatchObject({ record: { already: true } });
  expect(build.state).toBe("canceled");
  expect(puts()).toHaveLength(1);
});

it("deploy R-CI-4: a token without a scope is permanent, a fault is retried", async () => {
  const { number } = buildkite.addBuild(commit);
  expect(await adapter(buildkite.readOnlyToken).unblock(request(number))).toMatchObject({ code: "ci_forbidden" });
  expect(await adapter(buildkite.readOnlyToken).close(request(number), "rejected")).toMatchObject({
    code: "ci_forbidden",
  });
  for (const path of [/builds\/\d+$/, /unblock$/]) {
    buildkite.fail({ path, times: 1, fault: { kind: "answer", answer: { status: 500 } } });
    expect([path, (await adapter().unblock(request(number))).result]).toEqual([path, "retry"]);
  }
});

it("deploy R-CI-3: a description links to the build and calls nobody", () => {
  const { metadata } = request(42);
  const url = "https://buildkite.com/my-org/deploy-app/builds/42";
  expect(adapter().describe(metadata, settings)).toEqual({ ready: true, problems: [], url });
  expect(buildkite.log).toEqual([]);
});
