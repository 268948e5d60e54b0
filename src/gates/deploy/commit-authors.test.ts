import { expect, it } from "vitest";
import { commitAuthors } from "./commit-authors.ts";
import type { CommitFacts, GitIdentity } from "./vcs-facts.ts";

const ada = { name: "Ada", email: "ada@example.com", login: "ada" };
const grace = { name: "Grace", email: "grace@example.com", login: null };

function emails(changed: Partial<CommitFacts>): string[] {
  const facts = { sha: "", message: "", tree: "", author: ada, committer: ada, committedAt: null, ...changed };
  return commitAuthors(facts).map(({ email }) => email);
}

it("deploy R-REQ-10: author and committer count, each once", () => {
  expect(emails({})).toEqual([ada.email]);
  expect(emails({ committer: grace })).toEqual([ada.email, grace.email]);
  expect(emails({ committer: { ...ada, email: "ADA@Example.com" } })).toEqual([ada.email]);
  expect(emails({ committer: { ...ada, login: null } })).toEqual([ada.email, ada.email]);
});

it.each<GitIdentity>([
  { name: "GitHub", email: "x@users.noreply.github.com", login: "web-flow" },
  { name: "GitHub", email: "NoReply@GitHub.com", login: null },
])("deploy R-REQ-10: GitHub itself wrote nothing: %j", (committer) => {
  expect(emails({ committer })).toEqual([ada.email]);
});

it("deploy R-REQ-10: every co-author counts, wherever the line stands and however it is written", () => {
  const message = [
    "Title",
    "Co-authored-by: One <one@x.y>",
    "  CO-AUTHORED-BY:two<two@x.y>  ",
    "co-authored-by: Three < three@x.y > (she/her)",
    "Co-authored-by: nobody",
    "Co-authored-by: half <half@x.y",
    "See Co-authored-by: quoted <quoted@x.y>",
    ...Array.from({ length: 200 }, (_, at) => `Co-authored-by: N <n${String(at)}@x.y>`),
  ].join("\r\n");
  const found = emails({ message });
  expect(found.slice(0, 4)).toEqual([ada.email, "one@x.y", "two@x.y", "three@x.y"]);
  expect(found).toHaveLength(204);
  expect(found.at(-1)).toBe("n199@x.y");
});

it("deploy R-REQ-10: a message made to be slow is read in time", () => {
  const message = `Co-authored-by:${" ".repeat(500_000)}\n${"Co-authored-by: <".repeat(50_000)}`;
  const started = performance.now();
  expect(emails({ message })).toEqual([ada.email]);
  expect(performance.now() - started).toBeLessThan(2_000);
});
