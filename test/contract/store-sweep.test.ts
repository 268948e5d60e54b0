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
      const kept = { answersTtlHours: 1, attemptsDays: 90 };
      await startSweepLoop({ housekeeping, clock: () => now, ...kept, isPaused, onError }).stop();
      expect(failed).toEqual([]);
    };

    expect(await again()).toBe(false);
    await sweep(Date.now() + 3_500_000);
    expect(await again()).toBe(true);
    await sweep(Date.now() + 3_700_000);
    expect(await again()).toBe(false);
    await test.close();
  });

  it("engine R-HOOK-12: attempts at events are forgotten after webhook.log_days; those of an event that still waits, and of other effects, are not", async () => {
    const fresh = await database.fresh();
    const orgId = await initialize(fresh.url);
    const test = openApplication(fresh.url, { orgId });
    await test.admin();
    const days = (count: number): Date => new Date(Date.now() - count * 86_400_000);
    const told = async (kind: string, state: string): Promise<void> => {
      const id = test.app.newId();
      const over = state === "pending" ? null : days(80);
      await test.pool.query(
        `insert into effects (id, org_id, kind, lane, position, payload, state, created_at, due_at, done_at, entry_seq)
         values ($1::uuid, $2, $3, $1::text, 1, '{}', $4, $5, $5, $6, (select max(seq) from ledger_entries))`,
        [id, orgId, kind, state, days(95), over],
      );
      for (const [attempt, ago] of [95, 91, 89].entries()) {
        await test.pool.query("insert into effect_attempts values ($1, $2, $3, 5, 'retry', null, null)", [
          ...[id, attempt + 1, days(ago)],
        ]);
      }
    };
    await told("webhook", "done");
    await told("webhook", "pending");
    await told("deploy.ci", "done");
    const housekeeping = createHousekeeping(test.pool);
    const cut = Date.now() - 90 * 86_400_000;
    expect([await housekeeping.forgetAttempts(cut), await housekeeping.forgetAttempts(cut)]).toEqual([2, 0]);
    const { rows } = await test.pool.query<{ kind: string; left: number }>(
      `select effect.kind || ' ' || effect.state as kind, count(*)::integer as left
       from effect_attempts join effects effect on effect.id = effect_id group by 1 order by 1`,
    );
    expect(rows).toEqual([
      { kind: "deploy.ci done", left: 3 },
      { kind: "webhook done", left: 1 },
      { kind: "webhook pending", left: 3 },
    ]);
    await test.close();
  });
});
