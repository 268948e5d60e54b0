/** May somebody of this organization sign in without its identity provider? (docs/spec/identity.md R-LOCAL-1) */
import { refuse, type Refusal } from "../core/refusal.ts";
import type { PersonRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";

/** True where passkeys and passwords open nothing but for people marked for emergencies. */
export async function requiresProvider(app: Application): Promise<boolean> {
  const settings = await app.reader.records(recordsBy("setting", "key", ["require_sso"]));
  return settings.some(({ orgId, value }) => orgId === app.orgId && value === true);
}

/** Asked last, so that nobody learns from it whether their password was right. */
export async function localSignInRefusal(
  app: Application,
  { breakGlass }: Pick<PersonRecord, "breakGlass">,
): Promise<Refusal | null> {
  if (breakGlass || !(await requiresProvider(app))) return null;
  return refuse("permission_denied", "Your organization signs in through its identity provider");
}
