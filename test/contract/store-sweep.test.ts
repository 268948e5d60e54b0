import { expect, it } from "vitest";
import { createHousekeeping } from "../../src/adapters/postgres/housekeeping.ts";
import { createPolicy } from "../../src/app/create-policy.ts";
import { isReplay } from "../../src/app/idempotency.ts";
import { startSweepLoop } from "../../src/worker/sweep-loop.ts";
import { initialize, openApplication } from "../support/test-application.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

describeOnEveryPostgres("answers kept for repeated calls", (database) => {
  it("engine R-IDEMP-4: are replayed until their time is over, and forgotten then", async () => {
    const fresh = await database.fresh();
    const test = openApplication(fresh.url, { orgId: await initialize(fresh.url) });
    const admin = await test.admin();
    const document = { policy_key: "once.v1", name: "Once", artifact_type: "thing", stages: [] };
    const render = (): { status: number; body: string } => ({ status: 201, body: "made" });
    const call = { scope: "scope", key: "key", bodyHash: "hash", render };
    const again = async (): Promise<boolean> => isReplay(await createPolicy(test.app, admin, document, call));
    const sweep = async (now: number): Promise<void> => {
      const housekeeping = createHousekeeping(test.pool);
      const failed: unknown[] = [];
      const onError = (error: unknown): void => void failed.push(error);
      const isPaused = (): boolean => false;
      await startSweepLoop({ housekeeping, clock: () => now, answersTtlHours: 1, isPaused, onError }).stop();
      expect(failed).toEqual([]);
    };

    expect(await again()).toBe(false);
    await sweep(Date.now() + 3_500_000);
    expect(await again()).toBe(true);
    await sweep(Date.now() + 3_700_000);
    expect(await again()).toBe(false);
    await test.close();
  });
});
