/**
 * A refusal that matters to security is an entry (docs/spec/identity.md section 12): a credential that reached for what it may
 * not do. Nothing is recorded twice within a minute for the same credential, route and code, so that nobody fills the ledger.
 */
import { ledgerActor, ledgerId } from "./ledger-names.ts";
import type { Actor } from "../core/person.ts";
import type { RequestId } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import { Unavailable } from "../ports/unavailable.ts";
import type { Application } from "./application.ts";
import { describe, hidden } from "./entry-writer.ts";

export interface RefusedAccess {
  readonly code: string;
  /** Method and route pattern. */
  readonly route: string;
  readonly address: string | null;
  /** Further circumstances, committed to. */
  readonly about?: JsonObject;
  /** What it was about, where the gate knows. */
  readonly request?: { readonly id: RequestId; readonly digest: string; readonly gate: string };
}

const ONCE_PER_MS = 60_000;
const KEPT_MAX = 10_000;

export class RefusalRecorder {
  readonly #told = new Map<string, number>();

  /** `actor` null: nobody knows who it was. Never throws for a ledger that cannot be written: the refusal stands either way. */
  async record(
    app: Application,
    actor: Actor | null,
    { code, route, address, about = {}, request }: RefusedAccess,
  ): Promise<void> {
    const { name, credential } = namesOf(app, actor);
    const key = JSON.stringify([app.orgId, name, credential, code, route, request?.id]);
    const now = app.clock();
    const told = this.#told.get(key);
    if (told !== undefined && now - told < ONCE_PER_MS) return;
    if (this.#told.size >= KEPT_MAX) this.#told.clear();
    this.#told.set(key, now);
    const where = address === null ? {} : { ctx: hidden({ address, ...about }) };
    const entry = describe(
      {
        ...{ org: ledgerId("org", app.orgId), kind: "access.refused", actor: name, credential },
        resource: request === undefined ? null : { digest: request.digest, gate: request.gate },
        request: request === undefined ? null : ledgerId("req", request.id),
        data: { code, route, ...where },
      },
      app,
    );
    try {
      await app.store.submit({
        name: "record_refused_access",
        needs: {},
        carryOut: () => ({ answer: null, changes: { entries: [entry] } }),
      });
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
  }
}

function namesOf(app: Application, actor: Actor | null): { readonly name: string; readonly credential: string | null } {
  if (actor === null) return { name: "sys_server", credential: null };
  return { name: ledgerActor(actor, app.sha256), credential: actor.credential };
}
