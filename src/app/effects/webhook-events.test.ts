import { describe, expect, it } from "vitest";
import { isSent, webhookBody, type SentEvent } from "./webhook-events.ts";

const EVENT: SentEvent = {
  ...{ id: "e-1", sequence: 3, type: "stage_started", createdAt: Date.UTC(2026, 10, 20, 9, 0, 0, 257) },
  payload: {
    ...{ request_id: "r-1", artifact_type: "payout", artifact_id: "p-1", status: "in_review", stage_order: 1 },
    ...{ revision: 1, actor: "Jörg \u007f", actor_id: "joerg", approvers: ["ana", "🦆"] },
  },
};

describe("what is sent of an event", () => {
  it("engine R-HOOK-4: is compact ASCII with the members in their order, `data` last", () => {
    expect(webhookBody(EVENT, { includeData: true })).toBe(
      String.raw`{"event_id":"e-1","event_type":"stage_started","request_id":"r-1","artifact_type":"payout","artifact_id":"p-1","status":"in_review","stage_order":1,"actor":"J\u00f6rg \u007f","occurred_at":"2026-11-20T09:00:00.257000Z","data":{"request_id":"r-1","artifact_type":"payout","artifact_id":"p-1","status":"in_review","stage_order":1,"revision":1,"actor":"J\u00f6rg \u007f","actor_id":"joerg","approvers":["ana","\ud83e\udd86"],"sequence":3}}`,
    );
  });

  it("engine R-HOOK-4: `actor` is null where nobody acted, and `data` may be left out", () => {
    const body: unknown = JSON.parse(webhookBody({ ...EVENT, payload: {} }, { includeData: false }));
    expect(body).toMatchObject({ actor: null, status: null });
    expect(body).not.toHaveProperty("data");
  });

  it("engine R-HOOK-4: long lists are cut, say so, and leave the body under 20 kB", () => {
    const long = (count: number, length: number): string =>
      webhookBody(
        { ...EVENT, payload: { ...EVENT.payload, approvers: Array.from({ length: count }, () => "x".repeat(length)) } },
        { includeData: true },
      );
    expect(JSON.parse(long(201, 3))).toMatchObject({ data: { truncated: true, approvers: { length: 200 } } });
    expect(JSON.parse(long(200, 3))).not.toHaveProperty("data.truncated");
    expect(long(5_000, 128).length).toBeLessThan(20_000);
  });

  it("engine R-HOOK-1: opt-in events go to those who ask for them alone", () => {
    const sent = (type: Parameters<typeof isSent>[0], events: readonly string[] = []): boolean =>
      isSent(type, { events });
    expect([sent("request_approved"), sent("task_decided"), sent("stage_quorum_skipped")]).toEqual([
      true,
      false,
      false,
    ]);
    expect([sent("task_decided", ["task_decided"]), sent("task_claimed", ["task_decided"])]).toEqual([true, false]);
    expect(sent("task_claimed", ["*"])).toBe(true);
  });
});
