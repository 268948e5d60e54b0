/** A machine is no longer in use: all its tokens end with it, in the same transaction (docs/spec/identity.md R-ID-8). */
import type { Actor } from "./admitted-actor.ts";
import type { Refusal } from "../core/refusal.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { StoreCommand } from "../ports/command-store.ts";
import type { MachineRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { approvalsOfTokens, endedApprovals, factsOfApprovals } from "./deploy/end-approvals-of-tokens.ts";
import { machineNotFound, recordMachine } from "./machine-change.ts";
import { NO_CHANGE } from "./no-change.ts";
import { joinedChanges } from "./person-changes.ts";
import { tokenEntry } from "./token-change.ts";

/** Retiring what is retired changes nothing. */
export async function retireMachine(app: Application, actor: Actor, id: string): Promise<MachineRecord | Refusal> {
  const tokenIds = (await app.reader.records(recordsBy("apiToken", "machineId", [id]))).map((token) => token.id);
  const command: StoreCommand<MachineRecord | Refusal> = {
    name: "retire_machine",
    needs: {
      ...approvalsOfTokens(tokenIds),
      records: [recordsBy("machine", "id", [id]), recordsBy("apiToken", "machineId", [id])],
    },
    alone: true,
    gather: (world) => factsOfApprovals(world, tokenIds),
    carryOut(world, facts) {
      const before = world.records("machine", "id", id).find((machine) => machine.orgId === app.orgId);
      if (before === undefined) return { answer: machineNotFound(), changes: NO_CHANGE };
      if (before.disabledAt !== null) return { answer: before, changes: NO_CHANGE };
      const after: MachineRecord = { ...before, disabledAt: world.now };
      const revoked = world
        .records("apiToken", "machineId", id)
        .filter((token) => token.revokedAt === null && (token.expiresAt === null || token.expiresAt > world.now))
        .map((token) => ({ ...token, revokedAt: world.now }));
      const told = recordMachine(app, actor, { before, after }, world);
      const ends = revoked.map((token) => tokenEntry(app, { kind: "token.revoked", actor, token, machine: after }));
      const own: ChangeSet = {
        ...{ ...told, entries: [...told.entries, ...ends], records: { ...told.records, apiToken: revoked } },
      };
      const ended = endedApprovals(app, world, { actor, tokenIds, facts });
      return { answer: after, changes: joinedChanges([own, ...ended]) };
    },
  };
  return app.store.submit(command);
}
