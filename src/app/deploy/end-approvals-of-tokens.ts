/** With a token end the deploy approvals that are for it, in the same transaction; their history stays (docs/spec/deploy.md R-EXPIRY-5, R-STATE-9). */
import { decide, type Command } from "../../core/decide.ts";
import { factsNeededLater, type Facts, type FactsNeeded } from "../../core/facts.ts";
import type { Actor } from "../admitted-actor.ts";
import type { Request } from "../../core/request.ts";
import { deployStatus } from "../../gates/deploy/deploy-status.ts";
import type { ChangeSet } from "../../ports/change-set.ts";
import type { LiveKeys, Needs, World } from "../../ports/command-store.ts";
import type { Application } from "../application.ts";
import { recordRequest } from "../record-request.ts";
import { approvalStanding } from "./approval-standing.ts";

/** What the transaction has to look at. */
export function approvalsOfTokens(tokenIds: readonly string[]): Pick<Needs, "liveKeys"> {
  return { liveKeys: tokenIds.map(keysOf) };
}

export function factsOfApprovals(world: World, tokenIds: readonly string[]): FactsNeeded {
  const needed = liveOf(world, tokenIds).map((request) =>
    factsNeededLater(world.pinnedPolicy(request).policy, request, world.now),
  );
  return { names: needed.flatMap(({ names }) => names), lookups: needed.flatMap(({ lookups }) => lookups) };
}

function liveOf(world: World, tokenIds: readonly string[]): readonly Request[] {
  return tokenIds.flatMap((id) => world.requestsWithLiveKey(keysOf(id)));
}

function keysOf(tokenId: string): LiveKeys {
  return { startsWith: "deploy:", endsWith: `#${tokenId}` };
}

const COMMENT = "target token deleted";

export interface TokensEnded {
  readonly actor: Actor;
  readonly tokenIds: readonly string[];
  readonly facts: Facts;
}

export function endedApprovals(
  app: Application,
  world: World,
  { actor, tokenIds, facts }: TokensEnded,
): readonly ChangeSet[] {
  return liveOf(world, tokenIds).flatMap((before) => {
    const command = endingOf(before, actor, world);
    if (command === null) return [];
    const { policy } = world.pinnedPolicy(before);
    const { request: after, events } = decide(before, command, {
      policy,
      facts,
      now: world.now,
      settings: app.settings,
    });
    return after === before ? [] : [recordRequest({ before, after, events, actor, newId: world.newId }, app)];
  });
}

/** What deployed holds no live key. */
const NOT_DEPLOYED = { deployedAt: null };

/** Null where it is over by now: the clock will say so. */
function endingOf(request: Request, actor: Actor, { now }: World): Command | null {
  const status = deployStatus(approvalStanding(request, NOT_DEPLOYED), now);
  if (status === "pending") {
    return { type: "cancel", actor, reason: COMMENT, gate: { cause: "token_deleted", supersededBy: null } };
  }
  if (status !== "approved") return null;
  return { type: "revoke_grant", actor, by: "gate", reason: "cancelled", comment: COMMENT };
}
