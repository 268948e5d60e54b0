/** How a delegation is told to the ledger and the audit list, and whose it may be (R-DELEG-7). */
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { ChangeSet, DelegationRecord } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { delegationMail } from "./effects/delegation-mail.ts";
import { describe, hidden, ledgerTime } from "./entry-writer.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";

export function notOwnAbsence(): Refusal {
  return refuse("forbidden", "You may only delegate your own tasks; role `AWE_ADMIN` may delegate for others");
}

export function recordDelegation(
  app: Application,
  actor: Actor,
  delegation: DelegationRecord,
  at: { readonly world: World; readonly ended: boolean },
): Pick<ChangeSet, "entries" | "audit" | "records"> {
  const window = { starts_at: ledgerTime(delegation.startsAt), ends_at: ledgerTime(delegation.endsAt) };
  const shown = { user_id: delegation.fromName, delegate_to: delegation.toName, ...window };
  const scoped = delegation.policyKeys.length + delegation.artifactTypes.length > 0;
  const scope = scoped ? { policy_keys: delegation.policyKeys, artifact_types: delegation.artifactTypes } : null;
  const entry = describe(
    {
      org: ledgerId("org", app.orgId),
      kind: at.ended ? "delegation.ended" : "delegation.created",
      actor: ledgerActor(actor, app.sha256),
      credential: actor.credential,
      resource: null,
      request: null,
      data: {
        key: ledgerId("dlg", delegation.id),
        delegator: ledgerId("usr", delegation.from),
        delegate: ledgerId("usr", delegation.to),
        from: window.starts_at,
        to: window.ends_at,
        scope: hidden(scope),
      },
    },
    app,
  );
  const audit = auditRecord(
    actor,
    { entry: 0, world: at.world },
    {
      action: at.ended ? "delegation.delete" : "delegation.create",
      resourceType: "delegation",
      resourceId: delegation.id,
      summary: `Delegation of ${delegation.fromName} to ${delegation.toName} ${at.ended ? "ended" : "made"}`,
      before: at.ended ? shown : null,
      after: at.ended ? null : shown,
      metadata: { reason: delegation.reason },
    },
  );
  return { entries: [entry], audit: [audit], records: delegationMail(app, delegation, at) };
}
