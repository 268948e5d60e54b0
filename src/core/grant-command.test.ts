import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  actor,
  admin,
  HOUR,
  machine,
  person,
  policy,
  role,
  Run,
  stage,
  users,
} from "../../test/support/engine-world.ts";
import type { ExtendGrantCommand, RevokeGrantCommand, UseGrantCommand } from "./grant-command.ts";
import type { Grant } from "./grant.ts";
import type { Actor } from "./person.ts";
import type { GrantTerms } from "./policy.ts";
import { nextTimerAt } from "./timers.ts";

const MINUTE = 60_000;
const CI = machine("pipeline");
const DIGEST = "sha256:payload";

function approved(grant: Partial<GrantTerms> = {}, change: Parameters<typeof withStage>[1] = {}): Run {
  return new Run(withStage(grant, change), { by: CI, context: { author: "eva" } }).approve("ann");
}

function withStage(
  grant: Partial<GrantTerms>,
  change: Partial<Parameters<typeof policy>[0]> = {},
): ReturnType<typeof policy> {
  const stages = [stage({ mode: "any-n", rules: users("ann", "bob") })];
  return policy({ grant: { ttlMinutes: null, uses: null, ...grant }, stages, ...change });
}

function grantOf(run: Run): Grant {
  const { grant } = run.request;
  if (grant === null) throw new Error("there is no grant");
  return grant;
}

function use(by: Actor = CI, change: Partial<UseGrantCommand> = {}): UseGrantCommand {
  return { type: "use_grant", actor: by, by: "caller", digest: DIGEST, action: null, ...change };
}

function revoke(by: Actor, change: Partial<RevokeGrantCommand> = {}): RevokeGrantCommand {
  return { type: "revoke_grant", actor: by, by: "caller", reason: "withdrawn", comment: "no longer", ...change };
}

function extend(expiresAt: number, change: Partial<ExtendGrantCommand> = {}): ExtendGrantCommand {
  return { type: "extend_grant", actor: actor("bob"), expiresAt, most: 3, latest: Infinity, ...change };
}

describe("what an approval yields", () => {
  it("engine R-GRANT-3: a grant with the approval, without limits unless the policy sets some", () => {
    expect(approved().request.grant).toMatchObject({ state: "active", expiresAt: null, usesMax: null, uses: 0 });
    const run = approved({ ttlMinutes: 15, uses: 2 });
    expect(grantOf(run)).toMatchObject({ notBefore: run.now, expiresAt: run.now + 15 * MINUTE, usesMax: 2 });
    expect(run.eventsOf("request_approved")).toMatchObject([{ grant: grantOf(run) }]);
  });

  it("engine R-GRANT-3: no other end yields one", () => {
    const rejected = new Run(withStage({ uses: 1 })).reject("ann");
    const cancelled = new Run(withStage({ uses: 1 })).cancel();
    const expired = new Run(withStage({ uses: 1 }), { expiresInHours: 1 }).later(1);
    expect([rejected, cancelled, expired].map(({ request }) => request.grant)).toEqual([null, null, null]);
  });

  it("deploy R-EXPIRY-1: what a gate says at the deciding moment counts in the place of the policy's own time", () => {
    const run = new Run(withStage({ ttlMinutes: 15, uses: 1 }));
    const said = { comment: null, attachmentsRef: null, reasonCode: null, digest: null };
    const ids = { taskId: run.task("ann").id, decisionId: run.newId<"decision">() };
    run.give({ type: "decide", ...ids, actor: actor("ann"), action: "approve", ...said, grant: { ttlMinutes: 40 } });
    expect(grantOf(run)).toMatchObject({ expiresAt: run.now + 40 * MINUTE, usesMax: 1 });
  });
});

describe("using a grant", () => {
  it("engine R-GRANT-1: each use is counted, and the last one ends it", () => {
    const run = approved({ uses: 2 });
    expect(run.give(use()).refusal).toBeNull();
    expect(grantOf(run)).toMatchObject({ state: "active", uses: 1, endedAt: null });
    expect(run.give(use()).refusal).toBeNull();
    expect(grantOf(run)).toMatchObject({ state: "used", uses: 2, endedAt: run.now });
    expect(run.give(use()).refusal).toEqual({ refusal: "grant_unusable", message: "Grant is used" });
    expect(run.eventsOf("grant_used").map((event) => event.grant.uses)).toEqual([1, 2]);
  });

  it("engine R-GRANT-2: another digest is refused and counts no use", () => {
    const run = approved({ uses: 1 });
    expect(run.give(use(CI, { digest: "sha256:other" })).refusal?.refusal).toBe("digest_mismatch");
    expect(run.give(use(CI, { by: "gate", digest: "sha256:other" })).refusal?.refusal).toBe("digest_mismatch");
    expect(grantOf(run).uses).toBe(0);
  });

  it("engine R-GRANT-2: its end is the first instant at which it is refused, whether or not the clock came by", () => {
    const run = approved({ ttlMinutes: 15 });
    const end = grantOf(run).expiresAt ?? 0;
    expect(nextTimerAt(run.request)).toBe(end);
    run.now = end - 1;
    expect(run.give(use()).refusal).toBeNull();
    run.now = end;
    expect(run.give(use()).refusal).toEqual({ refusal: "grant_unusable", message: "Grant is expired" });
    expect(run.types(run.latest)).toEqual(["grant_expired"]);
    expect(grantOf(run)).toMatchObject({ state: "expired", endedAt: end });
    expect(nextTimerAt(run.request)).toBeNull();
  });

  it("engine R-GRANT-2: nothing is to be used of what is not approved", () => {
    const run = new Run(withStage({ uses: 1 }), { by: CI });
    expect(run.give(use()).refusal).toEqual({
      ...{ refusal: "grant_unusable", message: "There is no grant: the request is in_review" },
    });
    expect(run.reject("ann").give(use()).refusal?.message).toBe("There is no grant: the request is rejected");
  });

  it("engine R-GRANT-5: only who made the request uses it, or a gate by rules of its own", () => {
    const run = approved();
    for (const other of [admin("root"), actor("ann"), machine("other")]) {
      expect(run.give(use(other)).refusal?.refusal).toBe("forbidden");
    }
    expect(run.give(use(machine("other"), { by: "gate", action: "thing:do" })).refusal).toBeNull();
    expect(run.latest).toMatchObject([{ type: "grant_used", action: "thing:do", actor: { id: "other" } }]);
  });

  it("engine R-GRANT-5: nobody who is locked uses or revokes one", () => {
    const run = new Run(withStage({}), { by: actor("eva") }).approve("ann");
    const locked = actor(person("eva", { disabled: true }));
    expect(run.give(use(locked)).refusal?.refusal).toBe("person_locked");
    expect(run.give(revoke(locked)).refusal?.refusal).toBe("person_locked");
  });
});

describe("revoking a grant", () => {
  it.each([
    ["an administrator", admin("root")],
    ["who made the request", CI],
    ["whose approval it rests on", actor("ann")],
  ])("engine R-GRANT-5: %s revokes it, with a comment, and it permits nothing more", (_, by) => {
    const run = approved();
    expect(run.give(revoke(by, { comment: " \n" })).refusal?.refusal).toBe("comment_required");
    expect(run.give(revoke(by)).refusal).toBeNull();
    expect(grantOf(run)).toMatchObject({ state: "revoked", revokedReason: "withdrawn", revokedComment: "no longer" });
    expect(run.give(use()).refusal?.message).toBe("Grant is revoked");
    expect(run.give(revoke(by)).refusal?.message).toBe("Grant is revoked");
  });

  it("engine R-GRANT-5: nobody else does, unless a gate says so", () => {
    const run = approved();
    for (const by of [actor("bob"), machine("other"), actor("eva")]) {
      expect(run.give(revoke(by)).refusal?.refusal).toBe("forbidden");
    }
    const act = revoke(actor("bob"), { by: "gate", reason: "rejected", comment: null });
    expect(run.give(act).refusal).toBeNull();
    expect(grantOf(run)).toMatchObject({ revokedReason: "rejected", revokedComment: null });
  });
});

describe("extending a grant", () => {
  it("deploy R-EXPIRY-4: later than before, so often at most, and never beyond the bound", () => {
    const run = approved({ ttlMinutes: 15 });
    const end = grantOf(run).expiresAt ?? 0;
    expect(run.give(extend(end)).refusal?.refusal).toBe("extension_not_later");
    expect(run.give(extend(end + 2, { latest: end + 1 })).refusal?.refusal).toBe("extension_limit");
    expect(run.give(extend(end + 1, { latest: end + 1, most: 1 })).refusal).toBeNull();
    expect(grantOf(run)).toMatchObject({ expiresAt: end + 1, extensions: 1 });
    expect(run.give(extend(end + 2, { most: 1 })).refusal?.refusal).toBe("extension_limit");
    expect(nextTimerAt(run.request)).toBe(end + 1);
  });

  it("deploy R-EXPIRY-4: what has expired needs a new request, what was used or revoked says so", () => {
    const expired = approved({ ttlMinutes: 15 }).later(1);
    expect(expired.give(extend(expired.now + HOUR)).refusal?.refusal).toBe("grant_expired");
    const used = approved({ ttlMinutes: 15, uses: 1 }).give(use());
    expect(used.give(extend(used.now + HOUR)).refusal?.message).toBe("Grant is used");
    expect(approved().give(extend(Infinity)).refusal?.refusal).toBe("extension_not_later");
  });

  it("deploy R-EXPIRY-4: nobody extends who could not have approved; who did approve may", () => {
    const change = { forbiddenApprovers: ["author"], forbidSelfApproval: true, forbidRepeatApprovers: true };
    const run = approved({ ttlMinutes: 15 }, change);
    const end = (grantOf(run).expiresAt ?? 0) + 1;
    expect(run.give(extend(end, { actor: actor("eva") })).refusal).toEqual({
      refusal: "separation_of_duties",
      message: "Separation of duties: who is named in 'author' may not approve this request",
    });
    expect(run.give(extend(end, { actor: actor("pipeline") })).refusal?.refusal).toBe("separation_of_duties");
    expect(run.give(extend(end, { actor: CI })).refusal?.refusal).toBe("machine");
    const locked = actor(person("bob", { disabled: true }));
    expect(run.give(extend(end, { actor: locked })).refusal?.refusal).toBe("person_locked");
    expect(run.give(extend(end, { actor: actor("ann") })).refusal).toBeNull();
  });
});

/** What somebody does, and how many minutes pass before it. */
const acts = fc.array(
  fc.record({
    minutes: fc.integer({ min: 0, max: 8 }),
    act: fc.constantFrom("use", "use", "use", "other digest", "extend", "revoke", "tick"),
  }),
  { maxLength: 30 },
);

/** What must have come of the acts so far, said without the engine. */
interface Book {
  readonly end: number;
  readonly counted: number;
  readonly extensions: number;
  readonly over: boolean;
}

/** What this act does to a grant that is in force; null where it is refused. */
const EFFECTS: Readonly<Record<string, (book: Book) => Partial<Book> | null>> = {
  use: ({ counted }) => ({ counted: counted + 1 }),
  extend: ({ end, extensions }) =>
    extensions < 2 && end !== Infinity ? { end: end + MINUTE, extensions: extensions + 1 } : null,
  revoke: () => ({ over: true }),
};

function give(run: Run, act: string, end: number): void {
  if (act === "tick") run.give({ type: "tick" });
  else if (act === "extend") run.give(extend(end + MINUTE, { most: 2 }));
  else if (act === "revoke") run.give(revoke(CI));
  else run.give(use(CI, act === "use" ? {} : { digest: "sha256:other" }));
}

describe("any sequence of acts on a grant", () => {
  it("engine R-GRANT-1, R-GRANT-2: uses are counted one by one inside its time, never beyond what was approved", () => {
    const terms = fc.record({
      ttlMinutes: fc.option(fc.integer({ min: 1, max: 30 })),
      uses: fc.option(fc.integer({ min: 1, max: 4 })),
    });
    fc.assert(
      fc.property(terms, acts, ({ ttlMinutes, uses }, list) => {
        const run = approved({ ttlMinutes, uses });
        let book: Book = { end: grantOf(run).expiresAt ?? Infinity, counted: 0, extensions: 0, over: false };
        for (const { act, minutes } of list) {
          run.now += minutes * MINUTE;
          if (run.now >= book.end) book = { ...book, over: true };
          const effect = book.over ? null : (EFFECTS[act]?.(book) ?? null);
          give(run, act, book.end);
          expect(run.refusal === null).toBe(act === "tick" || effect !== null);
          book = { ...book, ...effect };
          if (book.counted === uses) book = { ...book, over: true };
          const { state, uses: counted, extensions } = grantOf(run);
          expect([counted, extensions, state !== "active"]).toEqual([book.counted, book.extensions, book.over]);
        }
      }),
    );
  });
});

describe("an approval by nobody in particular", () => {
  it("engine R-GRANT-3: yields a grant too: every stage skipped, or a lookup that comes late", () => {
    const skipped = new Run(
      policy({ stages: [stage({ skipIf: { "==": [1, 1] } })], grant: { ttlMinutes: 1, uses: 1 } }),
    );
    expect(skipped.request.grant).toMatchObject({ state: "active", usesMax: 1 });
    const stages = [stage({ onEmpty: "skip", rules: [role("leads")] })];
    const late = new Run(policy({ stages }), { members: { leads: new Error("down") } });
    expect(late.answer("leads", []).later(1).request.grant).toMatchObject({ state: "active" });
  });
});
