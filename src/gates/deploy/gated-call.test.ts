import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { admitArchive, isAdmitted } from "./admit-archive.ts";
import { readBuildForm } from "./build-form.ts";
import type { DeployApproval, DeployBuild, DeployGrant, DeployObject, DeployStanding } from "./deploy-records.ts";
import { isDeployRefusal } from "./deploy-refusal.ts";
import { isKeyInUse, judgeGatedCall, uploadHeadersRefusal, uploadKey, uploadsMax } from "./gated-call.ts";
import type { GatedCall, GatedFacts, GatedVerdict, RackBuild } from "./gated-facts.ts";
import { promotesMax } from "./gated-promote.ts";
import { readRackHeaders, type HeaderPair, type RackHeaders } from "./rack-headers.ts";
import type { GatedAction } from "./rack-routes.ts";

const MINUTE = 60_000;
const now = Date.parse("2026-03-01T12:00:00Z");
const commit = "0123456789abcdef0123456789abcdef01234567";
const otherCommit = "f".repeat(40);
const FORM: HeaderPair = ["Content-Type", "application/x-www-form-urlencoded"];
const manifestText = "services: {web: {image: x}}\n";

const grant: DeployGrant = {
  state: "active",
  revokedReason: null,
  issuedAt: now - 5 * MINUTE,
  expiresAt: now + 10 * MINUTE,
  endedAt: null,
};

const standing: DeployStanding = {
  engine: "approved",
  cancelReason: null,
  grant,
  requestExpiresAt: now + 60 * MINUTE,
  completedAt: now - 5 * MINUTE,
  deployedAt: null,
  approvalsMissing: 0,
};

const pending: DeployStanding = {
  ...standing,
  engine: "in_review",
  grant: null,
  completedAt: null,
  approvalsMissing: 2,
};
const expired: DeployStanding = { ...standing, grant: { ...grant, expiresAt: now - MINUTE } };
const longExpired: DeployStanding = { ...standing, grant: { ...grant, expiresAt: now - 60 * MINUTE } };
const deployed: DeployStanding = { ...standing, grant: { ...grant, state: "used", endedAt: now - MINUTE } };
const rejected: DeployStanding = {
  ...standing,
  grant: { ...grant, state: "revoked", revokedReason: "rejected", endedAt: now - MINUTE },
};

const build: DeployBuild = {
  attempt: 1,
  id: "BAAAAAAAAA",
  status: "complete",
  releaseId: "RAAAAAAAAA",
  objectKey: "tmp/a.tgz",
  manifest: "convox.yml",
  startedAt: now - 2 * MINUTE,
};

const approval: DeployApproval = {
  id: "11111111-1111-4111-8111-111111111111",
  requestId: "22222222-2222-4222-8222-222222222222",
  orgId: "org",
  scope: "production",
  app: "shop",
  commit,
  branch: "main",
  message: "ship",
  ciMetadata: null,
  images: {},
  targetTokenId: "token-1",
  targetPersonId: null,
  createdByTokenId: "token-1",
  createdByPersonId: null,
  createdAt: now - 20 * MINUTE,
  standing,
  sourceDigest: "digest-1",
  objectKey: "tmp/a.tgz",
  objectUrl: "object://shop/tmp/a.tgz",
  uploadCount: 1,
  builds: [build],
  releaseId: "RAAAAAAAAA",
  promotes: [],
  processIds: ["web-1"],
  execCommands: {},
  commands: [],
  extensionCount: 0,
  deployedAt: null,
  deployedByTokenId: null,
  deployedByPersonId: null,
  supersededBy: null,
};

const object: DeployObject = {
  scope: "production",
  app: "shop",
  key: "tmp/a.tgz",
  url: "object://shop/tmp/a.tgz",
  bytes: 10,
  objectSha256: "ab",
  sourceDigest: "digest-1",
  manifests: [{ path: "convox.yml", text: manifestText }],
  approvalIds: [approval.id],
  tokenId: "token-1",
  personId: null,
  uploadedAt: now - 3 * MINUTE,
};

const complete: RackBuild = {
  id: "BAAAAAAAAA",
  status: "complete",
  release: "RAAAAAAAAA",
  gitSha: commit,
  manifest: manifestText,
};

const facts: GatedFacts = {
  now,
  scope: "production",
  caller: { tokenId: "token-1" },
  approvals: [approval],
  objects: [object],
  settings: {
    approvedManifests: ["convox.yml"],
    approvedBuildArgs: [],
    approvedDeployCommands: ["rake db:migrate"],
    maxBuildAttempts: 5,
  },
  answers: { build: null, release: null },
  requestLink: (id) => `https://gate/deploys/${id}`,
};

function headers(...pairs: readonly HeaderPair[]): RackHeaders {
  const read = readRackHeaders(pairs);
  if (isDeployRefusal(read)) throw new Error(read.message);
  return read;
}

const PARAMS: Readonly<Record<GatedAction, Readonly<Record<string, string>>>> = {
  object_create: { app: "shop", name: "b.tgz" },
  build_create: { app: "shop" },
  build_read: { app: "shop", id: "BAAAAAAAAA" },
  build_logs: { app: "shop", id: "BAAAAAAAAA" },
  release_read: { app: "shop", id: "RAAAAAAAAA" },
  process_start: { app: "shop", service: "web" },
  process_exec: { app: "shop", pid: "web-1" },
  process_terminate: { app: "shop", pid: "web-1" },
  release_promote: { app: "shop", id: "RAAAAAAAAA" },
};

const ACTIONS = Object.keys(PARAMS).filter((name): name is GatedAction => name in PARAMS);
const goodForm = `git-sha=${commit}&url=object%3A%2F%2Fshop%2Ftmp%2Fa.tgz`;

function callOf(action: GatedAction, changed: Partial<GatedCall> = {}): GatedCall {
  return { action, params: PARAMS[action], isSocket: action === "process_exec", ...inputOf(action), ...changed };
}

function inputOf(action: GatedAction): Pick<GatedCall, "headers" | "body"> {
  if (action === "build_create") return { headers: headers(FORM), body: goodForm };
  if (action === "process_start")
    return { headers: headers(["Release", "RAAAAAAAAA"], ["Command", "sleep 60"]), body: "" };
  if (action === "process_exec") return { headers: headers(["Command", "rake db:migrate"]), body: "" };
  return { headers: headers(), body: "" };
}

function answerOf(action: GatedAction): GatedFacts["answers"] {
  if (action === "build_create") return { build: { ...complete, status: "failed" }, release: null };
  return { build: action === "release_promote" ? complete : null, release: null };
}

/** Facts under which the action is permitted. */
function factsFor(action: GatedAction, changed: Partial<GatedFacts> = {}): GatedFacts {
  return { ...facts, answers: answerOf(action), ...changed };
}

function told(verdict: GatedVerdict): string {
  if ("ask" in verdict) return `ask ${verdict.ask.kind} ${verdict.ask.id}`;
  return "permit" in verdict ? "permit" : verdict.refusal.code;
}

function judge(action: GatedAction, changed: Partial<GatedFacts> = {}, call: Partial<GatedCall> = {}): string {
  return told(judgeGatedCall(callOf(action, call), factsFor(action, changed)));
}

function lines(
  action: GatedAction,
  changed: Partial<GatedFacts> = {},
  call: Partial<GatedCall> = {},
): readonly string[] {
  const verdict = judgeGatedCall(callOf(action, call), factsFor(action, changed));
  return "refusal" in verdict ? [verdict.refusal.message, ...verdict.refusal.hint] : [];
}

function withApproval(changed: Partial<DeployApproval>): Partial<GatedFacts> {
  return { approvals: [{ ...approval, ...changed }] };
}

describe("calls under an approval", () => {
  it.each(ACTIONS)("deploy R-BIND-1: %s passes with a live approval", (action) => {
    expect(judge(action)).toBe("permit");
  });

  it.each(ACTIONS)("deploy R-BIND-1: %s is refused without one, and with one for something else", (action) => {
    const refused = ["no_active_approval"];
    expect(refused).toContain(judge(action, { approvals: [] }));
    expect(refused).toContain(judge(action, withApproval({ app: "other" })));
    expect(refused).toContain(judge(action, withApproval({ scope: "staging" })));
    expect(refused).toContain(judge(action, withApproval({ targetTokenId: "token-2" })));
    expect(refused).toContain(judge(action, withApproval({ targetTokenId: null, targetPersonId: "ann" })));
    expect(refused).toContain(judge(action, withApproval({ targetTokenId: null, targetPersonId: null })));
    expect(refused).toContain(judge(action, withApproval({ standing: pending })));
    expect(refused).toContain(judge(action, withApproval({ standing: longExpired })));
    expect(refused).toContain(judge(action, withApproval({ standing: { ...standing, grant: null } })));
    expect(refused).toContain(judge(action, { scope: "staging" }));
    expect(refused).toContain(judge(action, { caller: { tokenId: "token-2" } }));
    expect(refused).toContain(judge(action, { caller: { personId: "token-1" } }));
    expect(refused).toContain(judge(action, {}, { params: { ...PARAMS[action], app: "other" } }));
  });

  const AFTERWARDS: readonly GatedAction[] = ["build_read", "build_logs", "release_read", "process_terminate"];

  it.each(ACTIONS)("deploy R-STATE-8: %s within the hour after the end", (action) => {
    const finish = AFTERWARDS.includes(action);
    expect(judge(action, withApproval({ standing: expired }))).toBe(finish ? "permit" : "no_active_approval");
    expect(judge(action, withApproval({ standing: rejected }))).toBe(finish ? "permit" : "no_active_approval");
    const after = judge(action, withApproval({ standing: deployed }));
    if (finish) expect(after).toBe("permit");
    else expect(after).toBe(action === "release_promote" ? "already_deployed" : "no_active_approval");
  });

  it.each(ACTIONS)("deploy R-EXPIRY-3: %s is judged by the instant of the call", (action) => {
    const end = grant.expiresAt;
    expect(judge(action, { now: end - 1 })).toBe("permit");
    expect(judge(action, { now: end })).toBe(AFTERWARDS.includes(action) ? "permit" : "no_active_approval");
    expect(judge(action, { now: end + 60 * MINUTE })).toBe("no_active_approval");
  });

  it.each(ACTIONS)("deploy R-REQ-15: %s of a person is judged by the requests for that person", (action) => {
    const own = withApproval({ targetTokenId: null, targetPersonId: "ann" });
    const objects = [{ ...object, tokenId: null, personId: "ann" }];
    expect(judge(action, { ...own, objects, caller: { personId: "ann" } })).toBe("permit");
    expect(judge(action, { ...own, objects, caller: { personId: "bob" } })).toBe("no_active_approval");
    const ofToken = withApproval({ targetPersonId: "ann" });
    expect(judge(action, { ...ofToken, objects, caller: { personId: "ann" } })).toBe("no_active_approval");
  });

  it.each(ACTIONS)("deploy R-PROXY-5: %s with an option that it does not know is rejected, not dropped", (action) => {
    const base = inputOf(action).headers;
    const options = new Map([...base.options, ["Volumes", "a=b"] as const]);
    expect(["header_invalid", "process_option"]).toContain(judge(action, {}, { headers: { ...base, options } }));
  });

  it.each(["build_read", "build_logs", "release_read", "process_terminate", "process_start"] as const)(
    "deploy R-BIND-1: %s with a body is refused",
    (action) => {
      expect(["header_invalid", "process_option"]).toContain(judge(action, {}, { body: "command=id" }));
    },
  );

  it.each(ACTIONS)("deploy R-BIND-1: %s without the parameters of its route names nothing", (action) => {
    expect(judge(action, {}, { params: {} })).toBe("no_active_approval");
  });

  it("deploy R-BIND-3: the permit carries the approval that was found", () => {
    for (const action of ACTIONS) {
      const verdict = judgeGatedCall(callOf(action), factsFor(action));
      const permit = "permit" in verdict ? verdict.permit : null;
      expect(permit).toMatchObject({
        action,
        ...(action === "object_create" ? { approvals: [approval] } : { approval }),
      });
    }
  });

  it("deploy R-BIND-1: whatever a stranger's requests and records are, they open nothing", () => {
    const state = fc.constantFrom(standing, pending, expired, deployed, rejected);
    const strange = fc.record({
      scope: fc.constantFrom("production", "staging"),
      app: fc.constantFrom("shop", "other"),
      targetTokenId: fc.constantFrom("token-1", "token-2", null),
      standing: state,
    });
    fc.assert(
      fc.property(fc.array(strange, { maxLength: 4 }), fc.constantFrom(...ACTIONS), (changes, action) => {
        const approvals = changes.map((changed) => ({ ...approval, ...changed }));
        const own = approvals.some(
          (one) => one.scope === "production" && one.app === "shop" && one.targetTokenId === "token-1",
        );
        const verdict = judge(action, { approvals });
        expect(own || verdict === "no_active_approval").toBe(true);
      }),
    );
  });
});

describe("what is said when there is no approval", () => {
  const first = "No active deploy approval found for this commit";
  const ask = (text: string) =>
    `rack-gateway deploy-approval request --app shop --git-commit ${text} --message "…" --wait`;

  it.each<[string, Partial<GatedFacts>, string, string]>([
    ["none", { approvals: [] }, "No request was made with this credential.", ask(commit)],
    [
      "pending",
      withApproval({ standing: pending }),
      `Request ${approval.id} is pending since 2026-03-01T11:40:00.000Z and waits for 2 approvals.`,
      `An approver decides here: https://gate/deploys/${approval.id}`,
    ],
    [
      "one missing",
      withApproval({ standing: { ...pending, approvalsMissing: 1 } }),
      `Request ${approval.id} is pending since 2026-03-01T11:40:00.000Z and waits for 1 approval.`,
      `An approver decides here: https://gate/deploys/${approval.id}`,
    ],
    [
      "undecided and over",
      withApproval({ standing: { ...pending, requestExpiresAt: now } }),
      `Request ${approval.id} expired at 2026-03-01T12:00:00.000Z.`,
      ask(commit),
    ],
    [
      "another commit",
      withApproval({ commit: otherCommit }),
      `Commit ${otherCommit} is approved, not ${commit}.`,
      ask(commit),
    ],
    ["another app", withApproval({ app: "blog" }), "App blog is approved, not shop.", ask(commit)],
  ])("deploy R-BIND-2: %s", (_name, changed, reason, help) => {
    const live = { ...approval, commit: otherCommit, app: "unrelated", targetTokenId: "token-9" };
    const approvals = [live, ...(changed.approvals ?? [])];
    const form = { body: goodForm };
    // A live request of the same app makes the form be read, so that the commit is known.
    const reached =
      changed.approvals?.some(({ app, standing: state }) => app === "shop" && state === standing) ?? false;
    const told_ = lines("build_create", { approvals }, form);
    expect(told_.slice(0, 2)).toEqual([first, reason]);
    expect(told_[2]).toBe(reached ? help : help.replace(commit, "HEAD"));
    expect(told_.join()).not.toContain("unrelated");
  });

  it.each([
    ["expired", expired, "expired at 2026-03-01T11:59:00.000Z."],
    ["rejected", rejected, "was rejected at 2026-03-01T11:59:00.000Z."],
    ["deployed", deployed, "has already been deployed, at 2026-03-01T11:59:00.000Z."],
    [
      "cancelled",
      { ...standing, engine: "cancelled", grant: null, cancelReason: "cancelled" },
      "was cancelled at 2026-03-01T11:55:00.000Z.",
    ],
    [
      "superseded",
      { ...standing, engine: "cancelled", grant: null, cancelReason: "superseded" },
      "was superseded by a newer one at 2026-03-01T11:55:00.000Z.",
    ],
  ] as const)("deploy R-BIND-2: %s", (_name, state, reason) => {
    expect(lines("build_create", withApproval({ standing: state }))).toEqual([
      first,
      `Request ${approval.id} ${reason}`,
      ask("HEAD"),
    ]);
  });

  it("deploy R-BIND-2: approved, but for another build than the one that is asked for", () => {
    const call = { params: { app: "shop", id: "BZZZZZZZZZ" } };
    expect(lines("build_read", {}, call)[1]).toBe(`Request ${approval.id} is approved, but not for this call.`);
    expect(judge("release_read", {}, { params: { app: "shop", id: "RZZZZZZZZZ" } })).toBe("no_active_approval");
  });
});

describe("uploads", () => {
  it.each([
    [{ headers: headers(["Countersign-Git-Sha", commit]) }, "permit"],
    [{ headers: headers(["Countersign-Git-Sha", otherCommit]) }, "no_active_approval"],
    [{ headers: headers(["Countersign-Git-Sha", commit.slice(0, 12)]) }, "commit_incomplete"],
    [{ headers: headers(["Countersign-Git-Sha", "%"]) }, "commit_incomplete"],
    [{ headers: headers(["Content-Encoding", "gzip"]) }, "upload_form"],
    [{ headers: headers(["Content-Encoding", " Identity "]) }, "permit"],
    [{ headers: headers(["Content-Encoding", ""]) }, "permit"],
    [{ headers: headers(["Public", "true"]) }, "upload_form"],
    [{ params: { app: "shop", name: "a.tgz" } }, "object_key_in_use"],
  ])("deploy R-BIND-4: %j: %s", (call, expected) => {
    expect(judge("object_create", {}, call)).toBe(expected);
  });

  it("deploy R-BIND-5: a key is in use whoever used it, and only in its app and scope", () => {
    const { params } = callOf("object_create", { params: { app: "shop", name: "a.tgz" } });
    const direct = { ...object, tokenId: null, personId: "ann", approvalIds: [] };
    expect(isKeyInUse(uploadKey("a.tgz"), { params }, { scope: "production", objects: [direct] })).toBe(true);
    expect(isKeyInUse("tmp/b.tgz", { params }, { scope: "production", objects: [direct] })).toBe(false);
    expect(isKeyInUse("tmp/a.tgz", { params }, { scope: "staging", objects: [direct] })).toBe(false);
    expect(isKeyInUse("tmp/a.tgz", { params: { app: "x" } }, { scope: "production", objects: [direct] })).toBe(false);
  });

  it("deploy R-BIND-4: what every upload must be holds without an approval too", () => {
    expect(uploadHeadersRefusal({ headers: headers(["Content-Encoding", "br"]) })?.code).toBe("upload_form");
    expect(uploadHeadersRefusal({ headers: headers(["Public", "false"]) })?.code).toBe("upload_form");
    expect(uploadHeadersRefusal({ headers: headers() })).toBeNull();
  });

  it("deploy R-BIND-6: five uploads per approval", () => {
    expect(uploadsMax).toBe(5);
    expect(judge("object_create", withApproval({ uploadCount: 4 }))).toBe("permit");
    expect(judge("object_create", withApproval({ uploadCount: 5 }))).toBe("upload_attempts");
  });

  const unpinned = { ...approval, sourceDigest: null };
  const second = { ...unpinned, id: "33333333-3333-4333-8333-333333333333", commit: otherCommit };

  it.each([
    { name: "the first pins", approvals: [unpinned], digest: "digest-1", takers: [unpinned], pins: unpinned },
    { name: "the same again passes", approvals: [approval], digest: "digest-1", takers: [approval], pins: null },
    {
      ...{ name: "with two, a build decides", approvals: [unpinned, second], digest: "digest-1" },
      ...{ takers: [unpinned, second], pins: null },
    },
    {
      ...{ name: "the pinned one drops out", approvals: [approval, second], digest: "digest-2" },
      ...{ takers: [second], pins: second },
    },
    {
      ...{ name: "both can take it", approvals: [approval, second], digest: "digest-1" },
      ...{ takers: [approval, second], pins: null },
    },
  ])("deploy R-BIND-6: $name", ({ approvals, digest, takers, pins }) => {
    expect(admitArchive(approvals, digest, [])).toEqual({ approvals: takers, pins });
  });

  it("deploy R-BIND-6: other content is refused, with what differs", () => {
    const verdict = admitArchive([approval], "digest-2", ["src/a.ts"]);
    expect(isAdmitted(verdict) ? {} : verdict).toMatchObject({ code: "archive_differs", status: 409 });
    expect(isAdmitted(verdict) ? [] : verdict.hint).toContain("src/a.ts");
    expect(isAdmitted(admitArchive([], "digest-1", []))).toBe(false);
  });
});

describe("builds", () => {
  const body = (text: string): Partial<GatedCall> => ({ body: text });

  it.each([
    ["no git-sha", body("url=object%3A%2F%2Fshop%2Ftmp%2Fa.tgz"), "git_sha_required"],
    ["a prefix of the commit", body(goodForm.replace(commit, commit.slice(0, 12))), "no_active_approval"],
    ["the commit in capitals", body(goodForm.replace(commit, commit.toUpperCase())), "no_active_approval"],
    ["another commit", body(goodForm.replace(commit, otherCommit)), "no_active_approval"],
    ["no url", body(`git-sha=${commit}`), "build_form"],
    ["a manifest that is not approved", body(`${goodForm}&manifest=evil.yml`), "manifest_path"],
    ["another archive", body(goodForm.replace("a.tgz", "b.tgz")), "object_unknown"],
    ["the archive by another scheme", body(goodForm.replace("object%3A", "https%3A")), "object_unknown"],
    ["the archive of another app", body(goodForm.replace("shop%2Ftmp", "other%2Ftmp")), "object_unknown"],
    ["a form in another encoding", { headers: headers(["Content-Type", "multipart/form-data"]) }, "build_form"],
  ])("deploy R-BIND-7: %s", (_name, call, expected) => {
    expect(judge("build_create", {}, call)).toBe(expected);
  });

  it.each([
    ["another token's", { tokenId: "token-2" }],
    ["a person's", { tokenId: null, personId: "ann" }],
    ["another scope's", { scope: "staging" }],
    ["another app's", { app: "blog", url: "object://blog/tmp/a.tgz" }],
    ["other content than is pinned", { sourceDigest: "digest-2" }],
    ["another approval's", { approvalIds: ["other"] }],
    ["uploaded by direct permission", { approvalIds: [] }],
    ["of another address", { url: "object://shop/tmp/x.tgz" }],
    ["of an address that is not its key's", { key: "tmp/x.tgz" }],
  ])("deploy R-BIND-7: an archive that is %s is unknown", (_name, changed) => {
    expect(judge("build_create", { objects: [{ ...object, ...changed }] })).toBe("object_unknown");
  });

  it("deploy R-MANIFEST-3: a manifest that was not captured is not there", () => {
    expect(lines("build_create", { objects: [{ ...object, manifests: [] }] })).toEqual([
      "manifest validation failed: convox.yml not found in tarball",
    ]);
  });

  it("deploy R-BIND-7: the rack gets what was checked", () => {
    const verdict = judgeGatedCall(
      callOf("build_create", body(`${goodForm}&description=a+b`)),
      factsFor("build_create"),
    );
    const sent = "permit" in verdict && verdict.permit.action === "build_create" ? verdict.permit.body : "";
    expect(readBuildForm(FORM[1], sent)).toMatchObject({ gitSha: commit, manifest: "convox.yml", description: "a b" });
  });

  it.each<[string, Partial<DeployBuild>, GatedFacts["answers"]["build"], string]>([
    ["complete", {}, complete, "build_exists"],
    ["running", { status: "running" }, { ...complete, status: "running" }, "build_exists"],
    ["created", { status: "created" }, { ...complete, status: "created" }, "build_exists"],
    ["of a status nobody knows", {}, { ...complete, status: "paused" }, "build_exists"],
    ["failed, says the rack", { status: "running" }, { ...complete, status: "failed" }, "permit"],
    ["gone, says the rack", { status: "running" }, "gone", "permit"],
    ["failed, as recorded", { status: "failed" }, null, "permit"],
    ["gone, as recorded", { status: "gone" }, null, "permit"],
    ["refused by the rack", { status: "failed", id: null }, null, "permit"],
    ["still being created", { status: "creating", id: null }, null, "build_exists"],
    ["known, and the rack is not asked yet", {}, null, "ask build BAAAAAAAAA"],
    ["known, and the rack is silent", {}, "silent", "rack_unreachable"],
    [
      "known, and the rack tells of another",
      {},
      { ...complete, id: "BZZZZZZZZZ", status: "failed" },
      "rack_unreachable",
    ],
  ])("deploy R-BIND-8: the earlier build is %s", (_name, changed, answer, expected) => {
    const builds = [{ ...build, ...changed }];
    expect(judge("build_create", { ...withApproval({ builds }), answers: { build: answer, release: null } })).toBe(
      expected,
    );
  });

  it("deploy R-BIND-8: says what to do with the build that is there", () => {
    const told_ = (answer: RackBuild) => lines("build_create", { answers: { build: answer, release: null } })[1];
    expect(told_(complete)).toBe("Build BAAAAAAAAA is complete. Promote release RAAAAAAAAA.");
    expect(told_({ ...complete, status: "running" })).toBe("Build BAAAAAAAAA is running. Wait for it.");
  });

  it("deploy R-BIND-8: counts attempts, and the latest build is the one of the highest attempt", () => {
    const failed = [3, 1, 2, 4].map((attempt) => ({ ...build, attempt, status: "failed" as const }));
    const verdict = judgeGatedCall(callOf("build_create"), { ...facts, ...withApproval({ builds: failed }) });
    expect(verdict).toMatchObject({ permit: { attempt: 5 } });
    const five = [...failed, { ...build, attempt: 5, status: "failed" as const }];
    expect(judge("build_create", withApproval({ builds: five }))).toBe("build_attempts");
    const running = [
      { ...build, attempt: 2, status: "running" as const, id: "B2" },
      { ...build, status: "failed" as const },
    ];
    expect(
      judge("build_create", { ...withApproval({ builds: running }), answers: { build: null, release: null } }),
    ).toBe("ask build B2");
  });

  it("deploy R-BIND-7: with several approvals, the commit chooses", () => {
    const other = { ...approval, id: "44444444-4444-4444-8444-444444444444", commit: otherCommit, builds: [] };
    const verdict = judgeGatedCall(
      callOf("build_create", body(goodForm.replace(commit, otherCommit))),
      factsFor("build_create", { approvals: [approval, other], objects: [{ ...object, approvalIds: [other.id] }] }),
    );
    expect(verdict).toMatchObject({ permit: { approval: { id: other.id }, attempt: 1 } });
  });
});

describe("promotes", () => {
  const answers = (changed: Partial<GatedFacts["answers"]>): Partial<GatedFacts> => ({
    answers: { build: complete, release: null, ...changed },
  });

  it.each<[string, Partial<GatedFacts>, string]>([
    ["before the rack is asked", answers({ build: null }), "ask build BAAAAAAAAA"],
    ["the rack is silent", answers({ build: "silent" }), "rack_unreachable"],
    ["the build is gone", answers({ build: "gone" }), "release_mismatch"],
    ["another build is told of", answers({ build: { ...complete, id: "BZZZZZZZZZ" } }), "release_mismatch"],
    ["the build runs", answers({ build: { ...complete, status: "running" } }), "release_mismatch"],
    ["the build failed", answers({ build: { ...complete, status: "failed" } }), "release_mismatch"],
    ["the build's release is another", answers({ build: { ...complete, release: "RZZZZZZZZZ" } }), "release_mismatch"],
    ["the build is of another commit", answers({ build: { ...complete, gitSha: otherCommit } }), "release_mismatch"],
    ["the build names a prefix", answers({ build: { ...complete, gitSha: commit.slice(0, 12) } }), "release_mismatch"],
    ["the build names no commit", answers({ build: { ...complete, gitSha: "" } }), "permit"],
    [
      "the manifest differs by a byte",
      answers({ build: { ...complete, manifest: `${manifestText} ` } }),
      "release_mismatch",
    ],
    ["the build tells no manifest", answers({ build: { ...complete, manifest: "" } }), "permit"],
    ["the archive is not on record", { ...answers({}), objects: [] }, "release_mismatch"],
    ["the manifest is not on record", { ...answers({}), objects: [{ ...object, manifests: [] }] }, "release_mismatch"],
    ["the archive is of another scope", { ...answers({}), objects: [{ ...object, scope: "x" }] }, "release_mismatch"],
  ])("deploy R-BIND-10: %s", (_name, changed, expected) => {
    expect(judge("release_promote", changed)).toBe(expected);
  });

  const unrecorded = withApproval({ builds: [{ ...build, releaseId: null }], releaseId: null });

  it.each<[string, GatedFacts["answers"]["release"], string]>([
    ["is asked", null, "ask release RAAAAAAAAA"],
    ["is silent", "silent", "rack_unreachable"],
    ["has none", "gone", "release_mismatch"],
    ["tells of another", { id: "RZZZZZZZZZ", build: "BAAAAAAAAA" }, "release_mismatch"],
    ["says it is of another build", { id: "RAAAAAAAAA", build: "BZZZZZZZZZ" }, "release_mismatch"],
    ["says it is of no build", { id: "RAAAAAAAAA", build: "" }, "release_mismatch"],
    ["says it is of the build", { id: "RAAAAAAAAA", build: "BAAAAAAAAA" }, "permit"],
  ])("deploy R-BIND-10: for a release that is not recorded the rack %s", (_name, release, expected) => {
    expect(judge("release_promote", { ...unrecorded, ...answers({ release }) })).toBe(expected);
  });

  it("deploy R-BIND-10: a release made by hand from the approved build is not the build's release", () => {
    const call = { params: { app: "shop", id: "RHANDMADE1" } };
    const release = { id: "RHANDMADE1", build: "BAAAAAAAAA" };
    expect(judge("release_promote", answers({ release }), call)).toBe("release_mismatch");
  });

  it("deploy R-BIND-10: only the latest build counts", () => {
    const later = { ...build, attempt: 2, id: "B2", releaseId: null, status: "running" as const };
    const refused = judge("release_promote", { ...withApproval({ builds: [build, later] }), ...answers({}) });
    expect(refused).toBe("release_mismatch");
    expect(lines("release_promote", { ...withApproval({ builds: [build, later] }), ...answers({}) })).toEqual([
      "this release does not belong to the approved build",
      "Release RAAAAAAAAA is not of the latest build.",
    ]);
    const unnamed = { ...later, id: null, status: "creating" as const };
    expect(judge("release_promote", { ...withApproval({ builds: [build, unnamed] }), ...answers({}) })).toBe(
      "release_mismatch",
    );
  });

  it.each([
    [{ body: "development=true", headers: headers(FORM) }, "build_option"],
    [{ body: "release=R2", headers: headers(FORM) }, "promote_form"],
    [{ body: "force=true", headers: headers(FORM) }, "permit"],
  ])("deploy R-BIND-10: the form %j: %s", (call, expected) => {
    expect(judge("release_promote", {}, call)).toBe(expected);
  });

  it("deploy R-STATE-6: one promote at a time", () => {
    const promotes = [{ attempt: 1, releaseId: "RAAAAAAAAA", outcome: "pending" as const, startedAt: now }];
    expect(judge("release_promote", withApproval({ promotes }))).toBe("promote_in_progress");
  });

  it("deploy R-STATE-7: a promote that failed may be repeated, ten in all", () => {
    const failed = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        ...{ attempt: index + 1, releaseId: "RAAAAAAAAA", outcome: "failed" as const, startedAt: now },
      }));
    expect(promotesMax).toBe(10);
    expect(judge("release_promote", withApproval({ promotes: failed(9) }))).toBe("permit");
    expect(judge("release_promote", withApproval({ promotes: failed(10) }))).toBe("promote_attempts");
    const verdict = judgeGatedCall(
      callOf("release_promote"),
      factsFor("release_promote", withApproval({ promotes: failed(2) })),
    );
    expect(verdict).toMatchObject({ permit: { attempt: 3, releaseId: "RAAAAAAAAA", build: { id: "BAAAAAAAAA" } } });
  });

  it("deploy R-STATE-7: after the deploy, other releases have no approval", () => {
    const call = { params: { app: "shop", id: "RZZZZZZZZZ" } };
    expect(judge("release_promote", withApproval({ standing: deployed }), call)).toBe("no_active_approval");
  });
});

describe("processes", () => {
  it("deploy R-ALLOW-2: the release chooses among several approvals", () => {
    const other = { ...approval, id: "44444444-4444-4444-8444-444444444444", releaseId: "RBBBBBBBBB" };
    const call = { headers: headers(["Release", "RAAAAAAAAA"], ["Command", "sleep 60"]) };
    const verdict = judgeGatedCall(
      callOf("process_start", call),
      factsFor("process_start", { approvals: [other, approval] }),
    );
    expect(verdict).toMatchObject({ permit: { approval: { id: approval.id }, command: "sleep 60" } });
  });

  it.each([
    [{ headers: headers(["Command", "sleep 60"]) }, "command_not_approved"],
    [{ headers: headers(["Release", "RZZZZZZZZZ"], ["Command", "sleep 60"]) }, "command_not_approved"],
    [{ headers: headers(["Release", "RAAAAAAAAA"], ["Command", "id"]) }, "command_not_approved"],
    [{ headers: headers(["Release", "RAAAAAAAAA"], ["Command", "sleep 1"], ["Image", "x"]) }, "process_option"],
    [{ headers: headers(["Release", "RAAAAAAAAA"], ["Command", "rake db:migrate"]) }, "permit"],
  ])("deploy R-ALLOW-2: starting with %j: %s", (call, expected) => {
    expect(judge("process_start", {}, call)).toBe(expected);
  });

  it("deploy R-ALLOW-2: before the build has a release nothing is started, whatever header comes", () => {
    const call = { headers: headers(["Release", ""], ["Command", "sleep 60"]) };
    expect(judge("process_start", withApproval({ releaseId: null }), call)).toBe("command_not_approved");
  });

  it.each([
    [{ isSocket: false }, "command_not_approved"],
    [{ params: { app: "shop", pid: "web-2" } }, "command_not_approved"],
    [{ headers: headers(["Command", "id"]) }, "command_not_approved"],
    [{ headers: headers(["Command", " "]) }, "command_not_approved"],
    [{ headers: headers() }, "command_not_approved"],
  ])("deploy R-ALLOW-4: entering with %j: %s", (call, expected) => {
    expect(judge("process_exec", {}, call)).toBe(expected);
  });

  it("deploy R-ALLOW-4: a pid of an approval that has ended is not entered under another one", () => {
    const ended = { ...approval, standing: deployed };
    const live = { ...approval, id: "44444444-4444-4444-8444-444444444444", processIds: [] };
    expect(judge("process_exec", { approvals: [live, ended] })).toBe("command_not_approved");
  });

  it("deploy R-ALLOW-5: only own processes are ended", () => {
    const call = { params: { app: "shop", pid: "web-2" } };
    expect(lines("process_terminate", {}, call)[0]).toBe("You don't have permission to stop processes.");
    expect(judge("process_terminate", {}, call)).toBe("permission_denied");
  });

  it("deploy R-ALLOW-4: what was started and run counts together", () => {
    const commands = Array.from({ length: 50 }, () => ({
      kind: "start" as const,
      pid: null,
      command: "sleep 1",
      at: now,
    }));
    expect(judge("process_start", withApproval({ commands }))).toBe("command_not_approved");
    expect(judge("process_exec", withApproval({ commands }))).toBe("command_not_approved");
    expect(judge("process_exec", withApproval({ commands: commands.slice(1) }))).toBe("permit");
  });
});

describe("logs", () => {
  it("deploy R-BIND-1: build logs take the options of logs", () => {
    const call = { headers: headers(["Follow", "true"], ["Since", "1h"], ["Tail", "10"]) };
    expect(judge("build_logs", {}, call)).toBe("permit");
    expect(judge("build_read", {}, call)).toBe("header_invalid");
  });
});
