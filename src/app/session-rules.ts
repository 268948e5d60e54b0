/** How long sessions live in an organization and how many a person may have (docs/spec/identity.md section 3). */
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { idleSeconds } from "./settings.ts";

export interface SessionRules {
  readonly idleSeconds: number;
  readonly webSeconds: number;
  readonly perPerson: number;
}

/** Where passkeys must be bound to a device, sessions are short as well (SP 800-63B-4, AAL3). */
const AAL3: SessionRules = { idleSeconds: 15 * 60, webSeconds: 12 * 3_600, perPerson: 5 };

export async function sessionRules(app: Application): Promise<SessionRules> {
  const [idle, strict] = await Promise.all([
    idleSeconds(app),
    app.reader.records(recordsBy("setting", "key", ["aal3"])),
  ]);
  const { webSeconds, sessionsPerPerson: perPerson } = app.identity;
  if (!strict.some(({ orgId, value }) => orgId === app.orgId && value === true)) {
    return { idleSeconds: idle, webSeconds, perPerson };
  }
  return {
    idleSeconds: Math.min(AAL3.idleSeconds, idle),
    webSeconds: Math.min(AAL3.webSeconds, webSeconds),
    perPerson: Math.min(AAL3.perPerson, perPerson),
  };
}
