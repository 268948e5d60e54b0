/**
 * What becomes of a sign-in that was refused. Of a person we know it is an entry; of strangers' guesses only their number is
 * kept, one entry a minute at most, so that nobody can fill the ledger from outside (docs/spec/identity.md section 10).
 */
import type { PersonId } from "../core/ids.ts";
import type { SessionKind } from "../ports/identity-records.ts";
import type { Application } from "./application.ts";
import { describe } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";
import { SUMMARY_SECONDS } from "./refusal-desk.ts";
import { recordRefusedSignIn } from "./sign-in.ts";

export interface RefusedSignIn {
  readonly personId: PersonId | null;
  readonly method: string;
  readonly channel: SessionKind;
  readonly cause: string;
  readonly address: string | null;
}

export function noteRefusedSignIn(app: Application, { personId, ...about }: RefusedSignIn): void {
  const isEntry = app.refusals.count(personId, app.clock());
  if (isEntry && personId !== null) app.refusals.writeAside(recordRefusedSignIn(app, { personId, ...about }));
}

/** Writes how many strangers were refused since the last time, at most once a minute. */
export async function summarizeRefusals(app: Application): Promise<void> {
  const count = app.refusals.takeStrangers(app.clock());
  if (count === 0) return;
  const entry = describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: "access.refused_summary", actor: "sys_server", credential: null },
      ...{ resource: null, request: null },
      data: { code: "credentials_invalid", count, window: SUMMARY_SECONDS },
    },
    app,
  );
  await app.store.submit({
    name: "summarize_refused_sign_ins",
    needs: {},
    carryOut: () => ({ answer: null, changes: { entries: [entry] } }),
  });
}
