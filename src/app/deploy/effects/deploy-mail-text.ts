/** What people are told by mail about a deploy request (docs/spec/deploy.md R-MAIL-1). */
import { composedMail, shownTime, type MailText } from "../../effects/mail-text.ts";
import { approvalStory } from "./approval-story.ts";
import type { DeploySubject } from "./deploy-subject.ts";

/** `needed` and `reminder` go to who can approve, `moot` to who could have, `outcome` to whose request it is. */
export type DeployMail = "needed" | "reminder" | "moot" | "outcome";

export function deployMailText(subject: DeploySubject, mail: DeployMail, baseUrl: string): MailText {
  const { view, app } = subject;
  const { record } = view;
  const place = `${record.app} on ${record.scope}`;
  const { subject: title, lead } = wordsOf(subject, mail, place);
  const link = `${baseUrl}${subject.link.slice(app.identity.publicUrl.length)}`;
  return composedMail({ subject: title, lead, rows: rowsOf(subject, place), closing: [], link });
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
