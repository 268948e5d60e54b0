/** What people are told by mail about a deploy request (docs/spec/deploy.md R-MAIL-1). */
import { composedMail, shownTime, type MailText } from "../../effects/mail-text.ts";
import { approvalStory } from "./approval-story.ts";
import type { DeploySubject } from "./deploy-subject.ts";

/** `needed` and `reminder` go to who can approve, `moot` to who could have, `outcome` to whose request it is. */
export type DeployMail = "needed" | "reminder" | "moot" | "outcome";

/** Of one request, or of several that are told together. */
export function deployMailText(subjects: readonly DeploySubject[], mail: DeployMail, baseUrl: string): MailText {
  const [subject, second] = subjects;
  if (subject === undefined) throw new Error("a mail about nothing (this is a bug)");
  if (second !== undefined) return severalText(subjects, mail, baseUrl);
  const place = placeOf(subject);
  const { subject: title, lead } = wordsOf(subject, mail, place);
  const link = linkOf(subject, baseUrl);
  return composedMail({ subject: title, lead, rows: rowsOf(subject, place), closing: [], link });
}

function placeOf({ view: { record } }: DeploySubject): string {
  return `${record.app} on ${record.scope}`;
}

function linkOf({ app, link }: DeploySubject, baseUrl: string): string {
  return `${baseUrl}${link.slice(app.identity.publicUrl.length)}`;
}

const SEVERAL: Readonly<Record<DeployMail, (count: string) => Words>> = {
  needed: (count) => ({
    subject: `${count} deploy approvals needed`,
    lead: `Your decisions about ${count} deploys are needed.`,
  }),
  reminder: (count) => ({
    subject: `Reminder, ${count} deploy approvals needed`,
    lead: `Half of the time for ${count} decisions has passed, and nobody has decided.`,
  }),
  moot: (count) => ({
    subject: `No longer needed: ${count} deploy approvals`,
    lead: `Your decisions about ${count} deploys are no longer needed.`,
  }),
  outcome: (count) => ({
    subject: `${count} deploy requests went on`,
    lead: `How ${count} deploy requests stand now.`,
  }),
};

const SHORT = 12;

/** A line each, with its page. */
function severalText(subjects: readonly DeploySubject[], mail: DeployMail, baseUrl: string): MailText {
  const rows = subjects.map((subject): readonly [string, string] => {
    const { commit, message } = subject.view.record;
    return [placeOf(subject), `${subject.status}, ${commit.slice(0, SHORT)}, ${linkOf(subject, baseUrl)} ${message}`];
  });
  return composedMail({
    ...SEVERAL[mail](String(subjects.length)),
    ...{ rows, closing: [], link: `${baseUrl}/app/deploy` },
  });
}

interface Words {
  readonly subject: string;
  readonly lead: string;
}

function wordsOf({ status }: DeploySubject, mail: DeployMail, place: string): Words {
  switch (mail) {
    case "needed":
      return { subject: `Deploy approval needed: ${place}`, lead: "Your decision about a deploy is needed." };
    case "reminder":
      return {
        subject: `Reminder, deploy approval needed: ${place}`,
        lead: "Half of the time for this decision has passed, and nobody has decided.",
      };
    case "moot":
      return { subject: `No longer needed, deploy ${status}: ${place}`, lead: "Your decision is no longer needed." };
    case "outcome":
      return { subject: `Deploy ${status}: ${place}`, lead: `The deploy request is ${status}.` };
  }
}

function rowsOf(subject: DeploySubject, place: string): readonly (readonly [string, string])[] {
  const { view, status } = subject;
  const { record } = view;
  const { requester, by, notes, until, given, required, build, release } = approvalStory(subject);
  const isOpen = status === "pending" || status === "approved";
  const rows: readonly (readonly [string, string | null])[] = [
    ["Requested by", requester],
    ["What", `Deploy ${place}`],
    ["Commit", record.commit],
    ["Branch", record.branch],
    ["Message", record.message],
    ["State", status],
    ["Approvals", status === "pending" ? `${String(given)} of ${String(required)}` : null],
    ["By", by],
    ["Notes", notes],
    ["Until", isOpen && until !== null ? shownTime(until) : null],
    ["Build", build],
    ["Release", release],
  ];
  return rows.flatMap(([name, value]) => (value === null || value === "" ? [] : [[name, value] as const]));
}
