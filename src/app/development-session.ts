/** Signing in as anybody, where nobody proves who they are (docs/spec/identity.md R-DEV-5). */
import { isRefusal, type Refusal } from "../core/refusal.ts";
import type { Application } from "./application.ts";
import { identify, type Principal } from "./identify.ts";
import { claimsOf } from "./open-session.ts";
import { openedSession, type OpenedSession } from "./session-record.ts";

export interface DevelopmentSession {
  readonly principal: Principal;
  readonly client: string | null;
  readonly address: string | null;
}

export async function startDevelopmentSession(
  app: Application,
  { principal, client, address }: DevelopmentSession,
): Promise<Pick<OpenedSession, "token" | "record"> | Refusal> {
  const actor = await identify(app, principal);
  if (isRefusal(actor)) return actor;
  const { person } = actor;
  if (person === null) throw new Error("only people sign in (this is a bug)");
  return app.store.submit({
    name: "start_development_session",
    needs: {},
    carryOut(world) {
      const { token, record, entry } = openedSession(app, world.now, {
        ...{ personId: person.id, kind: "web", method: "development", aal: 1, claims: claimsOf(principal) },
        ...{ client, address, lifeSeconds: app.identity.webSeconds, idleSeconds: app.identity.webIdleSeconds },
      });
      return { answer: { token, record }, changes: { entries: [entry], records: { session: [record] } } };
    },
  });
}
