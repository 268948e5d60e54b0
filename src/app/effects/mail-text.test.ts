import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectGolden } from "../../../test/support/golden.ts";
import type { MailFacts, MailRequest, MailTask } from "./mail-facts.ts";
import { isMailName, MAIL_NAMES, mailText } from "./mail-text.ts";

const AT = Date.UTC(2026, 10, 20, 9);
const REQUEST: MailRequest = {
  ...{
    title: "Pay the caterer",
    artifact: "payout p-1",
    requester: "ana",
    reason: "Summer party",
    status: "in_review",
  },
  ...{ endedBy: null, comment: null },
};
const TASK: MailTask = {
  ...{ stage: "Finance", assignee: "Ben", delegatedFrom: null, approved: 1, needed: 3, dueAt: AT },
  ...{ decidedBy: "Root", decision: "approve" },
};

function facts(message: MailFacts["message"], change: Partial<MailFacts> = {}): MailFacts {
  const link = "https://approvals.example.com/app/requests/1";
  return { message, link, at: AT, request: REQUEST, task: TASK, data: {}, ...change };
}

const TIMES = { starts_at: "2026-11-20 09:00 UTC", ends_at: "2026-11-21 09:00 UTC" };
const DATA: Readonly<Record<string, MailFacts["data"]>> = {
  effect_exhausted: { kind: "webhook", attempts: "6", last_error: "http_500: The answer was 500" },
  rack_params_set: { rack: "production", by: "Ana", parameters: "node_type: 'small' to 'large'" },
  delegation_created: { from: "Ana", to: "Ben", ...TIMES },
  delegation_ended: { from: "Ana", to: "Ben", ...TIMES },
  token_expiring: { name: "ci", days: "7" },
};

const OF_REQUESTS = /^(?:task_|request_|override|delegated_|resolution_)/;
const ENDED = /^request_(approved|rejected|cancelled|expired)$/;

function sample(message: MailFacts["message"]): MailFacts {
  if (!OF_REQUESTS.test(message))
    return facts(message, { request: null, task: null, data: DATA[message] ?? { factor_type: "passkey" } });
  const [, status] = ENDED.exec(message) ?? [];
  if (status !== "approved" && status !== "rejected" && status !== "cancelled" && status !== "expired")
    return facts(message);
  const comment = status === "rejected" ? "Too dear" : null;
  return facts(message, { task: null, request: { ...REQUEST, status, endedBy: "Ben", comment } });
}

describe("the text of messages", () => {
  it("engine R-MAIL-3: says the same of each event as before", () => {
    const texts = MAIL_NAMES.map((message) => {
      const { subject, text, html } = mailText(sample(message));
      return `=== ${message}\nSubject: ${subject}\n\n${text}\n${html}`;
    });
    expectGolden("mails.txt", texts.join("\n"));
    expect(MAIL_NAMES.every(isMailName)).toBe(true);
  });

  it("engine R-MAIL-3: nothing that people write gets into a header's further lines, a row of its own, or the markup", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("a\r\nBcc: evil@x", "<a href=x>", "\u2028x", "\u0000"),
    );
    fc.assert(
      fc.property(text, text, text, (title, reason, requester) => {
        const message = mailText(facts("task_assigned", { request: { ...REQUEST, title, reason, requester } }));
        expect(message.subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(Array.from(message.subject).length).toBeLessThanOrEqual(120);
        expect(message.text.split("\n")).toHaveLength(mailText(facts("task_assigned")).text.split("\n").length);
        expect(message.html.match(/<a /g)).toHaveLength(1);
      }),
    );
  });

  it("engine R-MAIL-3: a long title leaves a subject of 120 characters, whole ones", () => {
    const { subject } = mailText(facts("task_assigned", { request: { ...REQUEST, title: "🦆".repeat(400) } }));
    expect(Array.from(subject)).toHaveLength(120);
    expect(!/\p{Cs}/u.test(subject)).toBe(true);
  });

  it("engine R-MAIL-3: has one link, to the page", () => {
    for (const message of MAIL_NAMES) {
      const { text, html } = mailText(sample(message));
      expect(text.match(/https?:\/\/\S+/g)).toEqual([sample(message).link]);
      expect(html.match(/href="[^"]*"/g)).toEqual([`href="${sample(message).link}"`]);
    }
  });
});
