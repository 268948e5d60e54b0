import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  codeSpan,
  commitStateOf,
  prComment,
  prCommentMarker,
  type PrCommentState,
  type PrCommentSubject,
} from "./pr-comment.ts";

const publicId = "0b7e7f0e-58b1-4c53-9c8e-0f6d2b1f7c11";
const subject: PrCommentSubject = {
  ...{ publicId, scope: "production", app: "myapp", commit: "a".repeat(40), branch: "feature", message: "Ship it" },
  ...{ requester: "Ada", url: `https://countersign.example/deploy/${publicId}`, state: { status: "pending" } },
};

const states: readonly PrCommentState[] = [
  { status: "pending" },
  { status: "approved", by: "Grace", until: "2026-01-01T00:15:00Z" },
  { status: "rejected", by: "Grace", notes: "not today" },
  { status: "expired" },
  { status: "superseded" },
  { status: "cancelled", by: null },
  { status: "deployed", build: "BABC", release: "RABC" },
  { status: "failed", why: "build failed" },
];

/** The text without what stands in code: what Markdown would read. */
function interpreted(text: string): string {
  return text.replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, "").replace(/(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, "");
}

describe("the comment", () => {
  it("deploy R-GITHUB-3: says what is asked for, by whom, where, and how it stands", () => {
    expect(prComment(subject)).toBe(
      [
        `<!-- countersign:deploy:${publicId} -->`,
        "**Deploy approval needed**: `myapp` on `production`",
        "",
        `- Commit: \`${"a".repeat(40)}\` on branch \`feature\``,
        "- Requested by: `Ada`",
        `- Request: <https://countersign.example/deploy/${publicId}>`,
        "",
        "```text\nShip it\n```",
      ].join("\n"),
    );
  });

  it.each<[PrCommentState, readonly string[]]>([
    [
      { status: "approved", by: "Grace", until: "2026-01-01T00:15:00Z" },
      ["**Deploy approved**", "- Approved by: `Grace`", "- Valid until: `2026-01-01T00:15:00Z`"],
    ],
    [
      { status: "rejected", by: "Grace", notes: "not today" },
      ["**Deploy rejected**", "- Rejected by: `Grace`", "- Notes: `not today`"],
    ],
    [{ status: "rejected", by: "Grace", notes: "" }, ["- Notes: no reason given"]],
    [{ status: "expired" }, ["**Deploy request expired**"]],
    [{ status: "superseded" }, ["**Deploy request superseded**"]],
    [{ status: "cancelled", by: null }, ["**Deploy request cancelled**", "- Cancelled by: a person"]],
    [{ status: "deployed", build: "BABC", release: "RABC" }, ["**Deployed**", "- Build: `BABC`", "- Release: `RABC`"]],
    [{ status: "failed", why: "build failed" }, ["**Deploy failed**", "- Reason: `build failed`"]],
  ])("deploy R-GITHUB-3: %j is told", (state, expected) => {
    const text = prComment({ ...subject, state });
    expect(text.startsWith(prCommentMarker(publicId))).toBe(true);
    for (const line of expected) expect(text).toContain(line);
  });

  it("deploy R-GITHUB-3: what is not there is not shown", () => {
    const deployed = prComment({ ...subject, branch: null, state: { status: "deployed", build: null, release: null } });
    expect(deployed).not.toMatch(/Build|Release|on branch/);
  });

  it.each([null, "", " ", "ada@example.com", "Ada <ada@example.com>"])(
    "deploy R-GITHUB-3: the requester %j is a person whose address is nobody's business",
    (requester) => {
      expect(prComment({ ...subject, requester })).toContain("- Requested by: a person\n");
    },
  );

  it("deploy R-GITHUB-3 case 57: nothing that somebody wrote is interpreted", () => {
    const nasty =
      "```\n<img src=x> @team #1 [a](https://evil.example) `x` | **b**\n<!-- countersign:deploy:x -->\n````` \u202Egnp";
    const plain = interpreted(prComment(subject));
    for (const state of states) {
      const shown = {
        ...state,
        ...("by" in state ? { by: nasty.replaceAll("@", "") } : {}),
        ...("notes" in state ? { notes: nasty } : {}),
      };
      const text = prComment({
        ...subject,
        message: nasty,
        branch: nasty,
        requester: "# *x* `y`",
        state: { ...shown },
      });
      expect(text).not.toContain("\u202E");
      expect(interpreted(text)).not.toMatch(/evil|@team|<img|gnp|x -->/);
    }
    expect(interpreted(prComment({ ...subject, message: nasty, branch: nasty }))).toBe(plain);
  });

  it("deploy R-GITHUB-3 case 57: whatever it is", () => {
    const any = fc.string({
      unit: fc.constantFrom("`", "~", "\n", "\r", " ", "<", "a", "@", "\u2028", "\u200B", "\\", "\t"),
      maxLength: 40,
    });
    fc.assert(
      fc.property(any, any, (message, branch) => {
        const text = prComment({ ...subject, message: `x${message}`, branch: `x${branch}` });
        expect(interpreted(text)).toBe(interpreted(prComment(subject)));
      }),
    );
  });

  it("deploy R-GITHUB-3: stays within what GitHub takes, and cuts between characters", () => {
    const long = "😀`".repeat(50_000);
    const text = prComment({
      ...subject,
      message: long,
      branch: long,
      state: { status: "rejected", by: long, notes: long },
    });
    expect(text.length).toBeLessThan(65_536);
    expect(prComment({ ...subject, message: "\u{10FFFD}".repeat(2_000) }).length).toBeLessThan(65_536);
    expect(() => encodeURIComponent(text)).not.toThrow();
  });

  it("deploy R-GITHUB-3: what cannot be seen is written out", () => {
    expect(codeSpan("a\u202Eb\u0000c\u{E000}d\ud800")).toBe("`a\\u{202e}b\\u{0}c\\u{e000}d\\u{d800}`");
    expect(codeSpan("\t \n")).toBe("(empty)");
    expect(codeSpan("`a`")).toBe("`` `a` ``");
    expect(codeSpan("a``")).toBe("``` a`` ```");
  });
});

it("deploy R-GITHUB-4: the status of the commit follows the request", () => {
  const told = states.map(({ status }) => [status, commitStateOf(status)?.state ?? null]);
  expect(told).toEqual([
    ["pending", "pending"],
    ["approved", "pending"],
    ["rejected", "failure"],
    ["expired", "failure"],
    ["superseded", "failure"],
    ["cancelled", "failure"],
    ["deployed", "success"],
    ["failed", null],
  ]);
});
