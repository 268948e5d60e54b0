import { describe, expect, it } from "vitest";

import type { DeployApproval } from "../../api/deploy-approvals.ts";
import { readApproval } from "../../api/deploy-approvals.ts";
import { changedSince } from "./changed-since.ts";
import { csvText } from "./csv-text.ts";
import { askedWith, outcomeWords, pullRequestWords, sourceWords } from "./deploy-words.ts";
import { extendedUntil } from "./extended-until.ts";
import { forecast } from "./refusal-forecast.ts";

function approval(members: Readonly<Record<string, unknown>> = {}): DeployApproval {
  const usual = {
    ...{ public_id: "id", status: "pending", message: "Fix", scope: "production", app: "myapp" },
    ...{ git_commit_hash: "4f0c1a2b3d4e5f60718293a4b5c6d7e8f9012345", created_at: "2026-11-20T10:00:00Z", version: 3 },
  };
  return readApproval({ ...usual, ...members }, "");
}

describe("what changed while somebody was reading", () => {
  it.each([
    ["status", { status: "approved" }],
    ["what is bound", { payload_digest: "sha256:22" }],
    ["images", { images: [{ service: "web", image: "a:1" }] }],
    ["checks", { source_verification: "ready (3 files)" }],
  ])("deploy R-UI-2: another %s has to be seen first", (name, members) => {
    expect(changedSince(approval(), approval(members))).toEqual([name]);
  });

  it("deploy R-UI-2: the progress of outside calls alone does not disable anything", () => {
    const effects = [{ kind: "deploy.mail", state: "done", attempts: 1 }];
    expect(changedSince(approval(), approval({ version: 4, effects }))).toEqual([]);
  });
});

describe("what is heard of version control", () => {
  const pr = { number: 7, title: "Fix", author: "cleo", state: "open" };
  const reviews = [
    { author: "dora", state: "approved" },
    { author: "emil", state: "changes_requested" },
    { author: "finn", state: "commented" },
  ];
  const words = (members: object): string => {
    const { pr: read } = approval({ pr: { ...pr, ...members } });
    return read === null ? "" : pullRequestWords(read);
  };

  it("deploy R-UI-2: a pull request says how it stands and what its reviewers said last", () => {
    expect(words({ reviews, draft: true })).toBe("open; a draft; approved by dora; changes asked for by emil");
    expect([words({ approvals: 1 }), words({ reviews: reviews.slice(2) })]).toEqual([
      ...["open; 1 approval", "open; nobody approved it"],
    ]);
  });

  it("deploy R-UI-2: hearing it for the first time disables nothing, another word of it does", () => {
    const heard = { vcs_read_at: "2026-11-20T10:01:00Z", pr: { ...pr, reviews }, checks: "pending" };
    const seen = approval(heard);
    expect(changedSince(approval({ pr }), seen)).toEqual([]);
    expect(changedSince(seen, approval({ ...heard, checks: "failure" }))).toEqual(["checks of the commit"]);
    expect(changedSince(seen, approval({ ...heard, pr: { ...pr, reviews: [] } }))).toEqual(["reviews"]);
  });

  it("deploy R-UI-1: who asks is the job as its platform signed it, else the token with its owner", () => {
    const token = { created_by_api_token_name: "ci", created_by_name: "Cira Lind" };
    expect([askedWith(approval(token)), askedWith(approval({ created_by_api_token_name: "ci" }))]).toEqual([
      ...["ci, owned by Cira Lind", "ci"],
    ]);
    const workload = { name: "Shop builds", summary: "GitHub Actions run 123 of MyOrg/shop", claims: {} };
    expect(askedWith(approval({ ...token, workload }))).toBe("GitHub Actions run 123 of MyOrg/shop");
  });
});

describe("the list as CSV", () => {
  it.each(["=1+1", "+1", "-1", "@x"])(
    "deploy R-UI-4: a message that begins like the formula %s is inert",
    (message) => {
      expect(csvText([approval({ message })])).toContain(`,'${message},`);
    },
  );

  it("deploy R-UI-4: quotes, commas and line breaks stay inside their cell", () => {
    expect(csvText([approval({ message: 'a "b",\nc' })])).toContain(',"a ""b"",\nc",');
  });
});

describe("words", () => {
  it("deploy R-UI-2: an approval that was not used in time and a request that nobody decided read differently", () => {
    const undecided = outcomeWords(approval({ status: "expired" }));
    const unused = outcomeWords(approval({ status: "expired", approved_at: "2026-11-20T10:00:00Z" }));
    expect([undecided, unused]).toEqual([
      "Expired: nobody decided in time.",
      "Expired: it was approved and not deployed in time.",
    ]);
  });

  it.each([
    ["ready (12 files)", "approve"],
    ["pending", "wait"],
    ["unavailable (no repository is set)", "quiet"],
    ["", "quiet"],
  ])("deploy R-UI-2: source verification %j is %s, and never more than the server said", (source, tone) => {
    expect(sourceWords(source).tone).toBe(tone);
  });
});

describe("the new end of an extension", () => {
  const now = Date.parse("2026-11-20T10:10:00Z");
  const approvedAt = "2026-11-20T10:00:00Z";

  it.each([
    [15, 120, "2026-11-20T10:25:00.000Z", false],
    [15, 20, "2026-11-20T10:20:00.000Z", true],
  ])("deploy R-UI-2: %i minutes with at most %i end at %s", (windowMinutes, longestMinutes, end, isLatest) => {
    const next = extendedUntil({ now, approvedAt, windowMinutes, longestMinutes });
    expect(next).toEqual({ at: Date.parse(end), isLatest });
  });

  it("deploy R-UI-2: nothing is promised where the window is not known", () => {
    expect(extendedUntil({ now, approvedAt, windowMinutes: undefined, longestMinutes: undefined })).toBeNull();
  });
});

describe("why would a deploy be refused now", () => {
  it.each([
    [[], true, false],
    [["pending"], true, false],
    [["expired", "rejected"], true, false],
    [["pending", "approved"], true, true],
    [["deployed"], true, false],
    [[], false, true],
  ])("deploy R-UI-5: requests %j, approvals on %s: passes %s", (statuses, enabled, passes) => {
    expect(
      forecast(
        statuses.map((status) => approval({ status })),
        enabled,
      ).passes,
    ).toBe(passes);
  });
});
