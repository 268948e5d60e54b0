/** A token ends now, everywhere within a second. Implements docs/spec/identity.md R-TOK-6. */
import type { Facts } from "../core/facts.ts";
import { isRefusal, type Refusal } from "../core/refusal.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { Carried, StoreCommand, World } from "../ports/command-store.ts";
import type { ApiTokenRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { approvalsOfTokens, endedApprovals, factsOfApprovals } from "./deploy/end-approvals-of-tokens.ts";
import { NO_CHANGE } from "./no-change.ts";
import { joinedChanges } from "./person-changes.ts";
import { recordToken, tokenNotFound } from "./token-change.ts";
import { makerNeeds, makerPermissions, mayKeepTokens, type TokenCaller } from "./token-maker.ts";
import { keptByProvider, standsForProvider } from "./workload-caller.ts";

/** Revoking what is revoked changes nothing. */
export async function revokeToken(
  app: Application,
  caller: TokenCaller,
  tokenId: string,
): Promise<ApiTokenRecord | Refusal> {
  const [known] = await app.reader.records(recordsBy("apiToken", "id", [tokenId]));
  if (known?.orgId !== app.orgId) return tokenNotFound();
  const command: StoreCommand<ApiTokenRecord | Refusal> = {
    name: "revoke_token",
    needs: {
      ...approvalsOfTokens([tokenId]),
      records: [
        ...makerNeeds(caller),
        recordsBy("apiToken", "id", [known.id]),
        recordsBy("machine", "id", [known.machineId]),
      ],
    },
    gather: (world) => factsOfApprovals(world, [tokenId]),
    carryOut: (world, facts) => carryOut(app, world, { caller, tokenId, facts }),
  };
  return app.store.submit(command);
}

function carryOut(
  app: Application,
  world: World,
  { caller, tokenId, facts }: { readonly caller: TokenCaller; readonly tokenId: string; readonly facts: Facts },
): Carried<ApiTokenRecord | Refusal> {
  const [before] = world.records("apiToken", "id", tokenId);
  const [machine] = before === undefined ? [] : world.records("machine", "id", before.machineId);
  if (before === undefined || machine === undefined) return { answer: tokenNotFound(), changes: NO_CHANGE };
  const permissions = makerPermissions(app, world, caller);
  if (isRefusal(permissions)) return { answer: permissions, changes: NO_CHANGE };
  const { actor } = caller;
  if (!mayKeepTokens(actor, permissions, machine)) return { answer: tokenNotFound(), changes: NO_CHANGE };
  if (standsForProvider(before)) return { answer: keptByProvider(), changes: NO_CHANGE };
  if (before.revokedAt !== null) return { answer: before, changes: NO_CHANGE };
  const token: ApiTokenRecord = { ...before, revokedAt: world.now };
  const told = recordToken(app, { kind: "token.revoked", actor, token, machine }, world);
  const own: ChangeSet = { ...told, records: { apiToken: [token] } };
  const ended = endedApprovals(app, world, { actor, tokenIds: [token.id], facts });
  return { answer: token, changes: joinedChanges([own, ...ended]) };
}
