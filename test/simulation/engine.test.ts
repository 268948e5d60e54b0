import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { play, type Told } from "./history.ts";

const runs = Number(process.env["COUNTERSIGN_SIMULATION_RUNS"] ?? 1_500);
const firstSeed = Number(process.env["COUNTERSIGN_SIMULATION_SEED"] ?? 1);
const kept: unknown = JSON.parse(readFileSync(new URL("seeds/engine.json", import.meta.url), "utf8"));

function report(seed: number, told: Told): string {
  return [`seed ${String(seed)}: add it to test/simulation/seeds/engine.json`, ...told.commands, ...told.broken].join(
    "\n",
  );
}

describe("random histories of a request", () => {
  it("engine R-STAGE-4: seeds that failed once hold every invariant now", () => {
    const seeds = Array.isArray(kept) ? kept.filter((seed) => typeof seed === "number") : [];
    expect(seeds.length).toBe(Array.isArray(kept) ? kept.length : -1);
    for (const seed of seeds) expect(play(seed).broken, `seed ${String(seed)}`).toEqual([]);
  });

  it("engine R-STAGE-4: no history breaks an invariant, and together they reach every end, event and refusal", () => {
    const seen = new Set<string>();
    for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
      const told = play(seed);
      if (told.broken.length > 0) expect.fail(report(seed, told));
      seen.add(told.status);
      for (const word of [...told.events.map((event) => event.type), ...told.refusals, ...told.stageStates])
        seen.add(word);
    }
    const wanted = [
      ["approved", "rejected", "cancelled", "expired", "skipped", "closed"],
      ["stage_started", "stage_skipped", "stage_completed", "stage_quorum_skipped", "stage_escalated"],
      ["task_claimed", "task_released", "task_decided", "task_reassigned", "task_expired"],
      ["delegation_skipped", "resolution_failed", "seat_freed", "person_locked"],
      ["machine", "not_assignee", "forbidden", "wrong_state", "quorum_conflict", "digest_mismatch"],
      ["separation_of_duties", "comment_required", "grant_unusable", "extension_limit", "extension_not_later"],
      ["grant_used", "grant_extended", "grant_revoked", "grant_expired"],
      ["step_up_required", "signature_required", "view_required", "too_fast"],
    ].flat();
    expect(runs < 1_000 ? [] : wanted.filter((word) => !seen.has(word))).toEqual([]);
  });
});
