/**
 * Where did the command come from? Entries about people, credentials and settings say it, as one commitment: the caller's
 * address and browser, the route and the number of the call (docs/spec/ledger.md section 5, `ctx`).
 */
import type { JsonObject } from "../core/json.ts";
import { commit, SALT_BYTES } from "../ledger/commitment.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { CommandStore, StoreCommand } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { base64url } from "./ledger-names.ts";

export interface CallCircumstances {
  readonly address: string;
  readonly userAgent: string | null;
  readonly route: string;
  readonly requestId: string;
  /** Name of the rack below which, or by default for which, it was called (deploy R-RACK-2); null outside of the deploy gate. */
  readonly scope: string | null;
}

/** Kinds that an auditor asks "from where?" about; the events of a request are not among them, their call is the session's. */
const TOLD_OF =
  /^(?:person|factor|session|login|machine|token|workload|org|setting|policy|access|webhook|integration)\./;

/** The same application, whose commands say where they came from. */
export function withCircumstances(app: Application, circumstances: CallCircumstances): Application {
  const store: CommandStore = {
    submit: <Answer>(command: StoreCommand<Answer>) => app.store.submit(told(app, command, circumstances)),
  };
  return { ...app, store, forOrganization: (orgId) => withCircumstances(app.forOrganization(orgId), circumstances) };
}

function told<Answer>(
  app: Application,
  command: StoreCommand<Answer>,
  circumstances: CallCircumstances,
): StoreCommand<Answer> {
  return {
    ...command,
    carryOut(world, facts) {
      const carried = command.carryOut(world, facts);
      const { entries } = carried.changes;
      if (!entries.some(({ draft }) => TOLD_OF.test(draft.kind))) return carried;
      const complete = entries.map((entry) => withContext(app, entry, circumstances));
      return { ...carried, changes: { ...carried.changes, entries: complete } };
    },
  };
}

function withContext(
  app: Application,
  { draft, openings }: DescribedEntry,
  { address, userAgent, route, requestId, scope }: CallCircumstances,
): DescribedEntry {
  if (!TOLD_OF.test(draft.kind) || "ctx" in draft.data) return { draft, openings };
  const salt = app.random(SALT_BYTES);
  const where = scope === null ? {} : { scope };
  const value: JsonObject = { address, user_agent: userAgent, route, request_id: requestId, ...where };
  const data = { ...draft.data, ctx: commit(value, salt, app.sha256) };
  return { draft: { ...draft, data }, openings: [...openings, { path: "/ctx", salt: base64url(salt), value }] };
}
