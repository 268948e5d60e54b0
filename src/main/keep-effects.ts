/**
 * What a running server does of what was decided to be done outside (docs/spec/effects.md): one loop per group of kinds, so that
 * a receiver of webhooks that hangs delays neither mail nor CI. Handlers come in by kind.
 */
import { hostname } from "node:os";
import type { Pool } from "pg";
import { watchAccessChanges } from "../adapters/postgres/access-changes.ts";
import { createEffectQueue } from "../adapters/postgres/effect-queue.ts";
import type { Application } from "../app/application.ts";
import { effectGivenUp, type EndFollows } from "../app/effects/effect-given-up.ts";
import type { EffectKind } from "../ports/effects.ts";
import { startEffectLoop, type EffectLoopOptions, type EffectWork } from "../worker/effect-loop.ts";
import { startTellingLoop } from "../worker/telling-loop.ts";

export type EffectWorks = Readonly<Partial<Record<EffectKind, EffectWork>>>;

export interface KeepEffectsOptions {
  readonly database: { readonly connectionString: string };
  readonly pool: Pool;
  readonly app: Application;
  /** Nothing is written in quarantine. */
  readonly guard: { readonly quarantined: boolean };
  /** By kind; an effect of a kind that has no work here waits. */
  readonly work: EffectWorks;
  readonly fallbackMs: number;
  /** Attempts at once of a group; others have a bound of their own. */
  readonly webhooksAtOnce: number;
  /** Of those, for one host. */
  readonly webhooksPerHost?: number;
  /** How long an event holds back the later ones of its request; 0 = to its end (engine R-HOOK-9). */
  readonly webhookHoldMs?: number;
  /** What follows from an effect that is given up, in the same transaction. */
  readonly follows?: EndFollows;
  /** Told of every attempt that did not do it. */
  readonly onTrouble?: EffectLoopOptions["onTrouble"];
  readonly onError: (error: unknown) => void;
}

const AT_ONCE = 8;
const GROUPS: readonly ((kind: string) => boolean)[] = [
  (kind) => kind === "webhook",
  (kind) => kind === "mail",
  // A short lease: whoever dies while a CI waits is followed soon.
  (kind) => kind === "deploy.ci",
  (kind) => kind.startsWith("deploy.") && kind !== "deploy.ci",
];
const UNTOLD_EVERY_MS = 60_000;
const UNTOLD_AT_ONCE = 100;

/** Answers how to end it: attempts under way are given back. */
export function keepEffects(options: KeepEffectsOptions): () => Promise<void> {
  const { app, pool, guard, onError, follows } = options;
  const queue = createEffectQueue(pool);
  const isPaused = (): boolean => guard.quarantined;
  const changes = watchAccessChanges(options.database.connectionString, { onError, channel: "countersign_effects" });
  const tell = async (effect: { readonly id: string; readonly orgId: string }): Promise<void> => {
    await effectGivenUp(app.forOrganization(effect.orgId), effect.id, follows);
  };
  const shared: Omit<EffectLoopOptions, "work" | "concurrency"> = {
    ...{ queue, isPaused, onError, clock: app.clock, random: Math.random, fallbackMs: options.fallbackMs },
    worker: `${hostname()}:${String(process.pid)}`,
    subscribe: (listener) => changes.subscribe(listener),
    onGivenUp: tell,
    ...(options.onTrouble === undefined ? {} : { onTrouble: options.onTrouble }),
  };
  const loops = GROUPS.flatMap((isOf, group) => {
    const work = Object.fromEntries(Object.entries(options.work).filter(([kind]) => isOf(kind)));
    if (Object.keys(work).length === 0) return [];
    if (group > 0) return [startEffectLoop({ ...shared, work, concurrency: AT_ONCE })];
    const { webhooksAtOnce: concurrency, webhooksPerHost: perHost = Infinity, webhookHoldMs: holdMs = 0 } = options;
    return [startEffectLoop({ ...shared, work, concurrency, perHost, holdMs })];
  });
  // A process that died between an effect's end and its entry left it untold.
  const telling = startTellingLoop({
    tell: async () => {
      for (const effect of await queue.untold(UNTOLD_AT_ONCE)) await tell(effect);
    },
    ...{ everyMs: UNTOLD_EVERY_MS, isPaused, onError },
  });
  return async () => {
    await Promise.all([...loops, telling].map((loop) => loop.stop()));
    await changes.close();
  };
}
