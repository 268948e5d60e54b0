/** How changes of tokens are told to the ledger and the audit list (docs/spec/identity.md section 7). */
import type { Actor } from "../core/person.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { ChangeSet, DescribedEntry } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";
import type { ApiTokenRecord, MachineRecord } from "../ports/identity-records.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { describe, ledgerTime } from "./entry-writer.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";

export interface TokenTold {
  readonly kind: "token.created" | "token.rotated" | "token.revoked" | "token.expired";
  /** Null when its time ended it. */
  readonly actor: Actor | null;
  readonly token: ApiTokenRecord;
  readonly machine: MachineRecord;
}

export function tokenEntry(app: Application, { kind, actor, token, machine }: TokenTold): DescribedEntry {
  return describe(
    {
      org: ledgerId("org", app.orgId),
      kind,
      actor: actor === null ? "sys_server" : ledgerActor(actor, app.sha256),
      credential: actor?.credential ?? null,
      ...{ resource: null, request: null },
      data: {
        token: ledgerId("tok", token.id),
        machine: ledgerId("mch", machine.id),
        owners: machine.owners.map((id) => ledgerId("usr", id)),
        scopes: token.scopes,
        expires_at: ledgerTime(token.expiresAt),
      },
    },
    app,
  );
}

/** What somebody did with a token; nothing of the secret is in it. */
export function recordToken(
  app: Application,
  told: TokenTold & { readonly actor: Actor },
  world: World,
): Pick<ChangeSet, "entries" | "audit"> {
  const { kind, actor, token, machine } = told;
  const verb = kind.slice("token.".length);
  const audit = auditRecord(
    actor,
    { entry: 0, world },
    {
      action: kind,
      resourceType: "token",
      resourceId: token.id,
      summary: `The token ${token.name} of ${machine.name} was ${verb}`,
      before: null,
      after: { machine: machine.name, scopes: token.scopes, limits: token.limits, last_four: token.lastFour },
      metadata: {},
    },
  );
  return { entries: [tokenEntry(app, told)], audit: [audit] };
}

export function tokenNotFound(): Refusal {
  return refuse("not_found", "There is no such token");
}
