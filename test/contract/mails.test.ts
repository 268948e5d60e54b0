/** Who hears of what by mail, over a real SMTP connection (docs/spec/engine.md section 15, docs/spec/identity.md R-FACT-8). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSmtpMailer } from "../../src/adapters/smtp/smtp-mailer.ts";
import { applyDueTimers } from "../../src/app/apply-due-timers.ts";
import { cancelRequest } from "../../src/app/cancel-request.ts";
import { createDelegation } from "../../src/app/create-delegation.ts";
import { createRequest } from "../../src/app/create-request.ts";
import { decideTask } from "../../src/app/decide-task.ts";
import { deleteDelegation } from "../../src/app/delete-delegation.ts";
import { confirmBackupCodes, offerBackupCodes } from "../../src/app/backup-codes.ts";
import { countFailure } from "../../src/app/factor-throttle.ts";
import { exhaustedMail } from "../../src/app/effects/exhausted-mail.ts";
import { sendMail } from "../../src/app/effects/send-mail.ts";
import { reassignTask } from "../../src/app/reassign-task.ts";
import { makeRecoveryLink } from "../../src/app/recovery-link.ts";
import { refuse } from "../../src/core/refusal.ts";
import type { Request } from "../../src/core/request.ts";
import { keepEffects } from "../../src/main/keep-effects.ts";
import {
  activate,
  ask,
  decide,
  done,
  openRaceWorld,
  racePolicy,
  taskOf,
  type RaceWorld,
} from "../support/race-world.ts";
import { openSmtpSink, type ReceivedMail, type SmtpSink } from "../support/smtp-sink.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

const HOUR = 3_600_000;
const OPS = "ops@example.com";

describe("mail", () => {
  let database: TestDatabase;
  let world: RaceWorld;
  let sink: SmtpSink;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    database = await createTestDatabase();
    sink = await openSmtpSink();
    const settings = { notifier: { adminAddresses: [OPS] } };
    world = await openRaceWorld(database.url, ["ana", "ben", "cia", "dan"], { settings });
    const [{ app, pool }] = world.sides;
    const { port } = sink;
    const rest = {
      user: "",
      password: "",
      from: "Countersign <no-reply@example.com>",
      useTls: false,
      timeoutMs: 5_000,
    };
    const mailer = createSmtpMailer({ host: "127.0.0.1", port, ...rest });
    const handle = sendMail({ app, mailer, baseUrl: "https://approvals.example.com" });
    stop = keepEffects({
      ...{ app, pool, guard: { quarantined: false }, database: { connectionString: database.url } },
      work: { mail: { handle, schedule: { waitsMs: [10], attemptsMax: 3, timeoutMs: 5_000 } } },
      ...{ fallbackMs: 500, webhooksAtOnce: 1, follows: exhaustedMail(app), onError: () => undefined },
    });
    await activate(world, racePolicy("two", [{ people: ["ben", "cia"], slaHours: 1 }]));
    await activate(world, racePolicy("any", [{ people: ["ben", "cia"], mode: "any-n" }]));
  });
  afterAll(async () => {
    await stop();
    await world.close();
    await sink.close();
    await database.drop();
  });

  let seen = 0;
  beforeEach(() => {
    seen = sink.mails.length;
  });

  const app = (): RaceWorld["sides"][0]["app"] => world.sides[0].app;
  const since = (): readonly ReceivedMail[] => sink.mails.slice(seen);
  const told = (): readonly string[] =>
    since()
      .map(({ recipients, email }) => `${recipients.join(",")} ${(email.subject ?? "").replace(/:.*/, "")}`)
      .toSorted();

  async function settled(): Promise<void> {
    const pending = async (): Promise<number> => {
      const { rows } = await world.sides[0].pool.query<{ count: string }>(
        "select count(*) as count from effects where state = 'pending'",
      );
      return Number(rows[0]?.count);
    };
    await expect.poll(pending, { timeout: 10_000 }).toBe(0);
  }

  async function made(policyKey: string): Promise<Request> {
    return done(await ask(app(), world.actor("ana"), { policyKey }));
  }

  /** Asked for by Ana, and everybody told. */
  async function asked(policyKey: string): Promise<Request> {
    const request = await made(policyKey);
    await settled();
    seen = sink.mails.length;
    return request;
  }

  it("engine R-MAIL-1: whoever gets a task gets one mail, with an id that is the same for the same event and person", async () => {
    const request = await made("two");
    await settled();
    expect(told()).toEqual(["ben@example.com Approval needed", "cia@example.com Approval needed"]);
    const ids = since().map(({ email }) => email.messageId ?? "");
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^<[0-9a-f-]{36}\.[0-9a-f-]{36}@approvals\.example\.com>$/);
    const [{ email } = { email: null }] = since();
    expect(email?.text).toContain(`https://approvals.example.com/app/requests/${request.id}`);
    expect(email?.text).toContain("Requested by: ana");
    expect(email?.text).toContain("Approvals: 0 of 2, 2 more needed");
    expect(email?.text).toMatch(/Due: \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    expect(email?.headers.find(({ key }) => key === "auto-submitted")?.value).toBe("auto-generated");
  });

  it("engine R-MAIL-1: the requester hears how it ended, with the comment of a rejection, and others that they are not needed", async () => {
    const request = await asked("two");
    const rest = { attachmentsRef: null, reasonCode: null, digest: null };
    done(
      await decideTask(
        app(),
        world.actor("ben"),
        { taskId: taskOf(request, "ben"), action: "reject", comment: "Too dear", ...rest },
        null,
      ),
    );
    await settled();
    expect(told()).toEqual(["ana@example.com Rejected", "cia@example.com No longer needed"]);
    expect(since().find(({ recipients }) => recipients.includes("ana@example.com"))?.email.text).toContain(
      "Comment: Too dear",
    );
  });

  it("engine section 15: a quorum that is met tells those who need not decide any more, once", async () => {
    const request = await asked("any");
    done(await decide(app(), world.actor("ben"), taskOf(request, "ben"), "approve"));
    await settled();
    expect(told()).toEqual(["ana@example.com Approved", "cia@example.com No longer needed"]);
  });

  it("engine section 15: whoever ended a request hears nothing of it", async () => {
    const request = await asked("two");
    done(await cancelRequest(app(), world.actor("ana"), { requestId: request.id, reason: "wrong" }, null));
    await settled();
    expect(told()).toEqual(["ben@example.com No longer needed", "cia@example.com No longer needed"]);
  });

  it("engine section 15: a task that is passed on, one that is overdue, and one that an administrator decides are told", async () => {
    const request = await asked("two");
    done(
      await reassignTask(
        app(),
        world.admin,
        { taskId: taskOf(request, "ben"), newAssignee: "dan", reason: null },
        null,
      ),
    );
    await settled();
    expect(told()).toEqual(["dan@example.com Approval passed to you"]);
    seen = sink.mails.length;
    done(await decide(app(), world.admin, taskOf(request, "cia"), "approve"));
    await settled();
    expect(told()).toEqual(["cia@example.com An administrator decided in your place"]);
    seen = sink.mails.length;
    world.sides[0].advance(2 * HOUR);
    done(await applyDueTimers(app(), request.id));
    await settled();
    expect(told()).toEqual(["dan@example.com Overdue"]);
  });

  it("engine section 15: both people hear of a delegation and of its end, and the delegator of each task given away", async () => {
    const now = app().clock();
    const input = { userId: "ben", delegateTo: "dan", startsAt: now - HOUR, endsAt: now + HOUR, reason: null };
    const made = done(
      await createDelegation(app(), world.admin, { ...input, policyKeys: [], artifactTypes: [] }, null),
    );
    await settled();
    const subject = "Delegation";
    expect(told()).toEqual([`ben@example.com ${subject}`, `dan@example.com ${subject}`]);
    expect(since()[0]?.email.subject).toBe("Delegation: Display ben to Display dan");
    seen = sink.mails.length;
    done(await ask(app(), world.actor("ana"), { policyKey: "any" }));
    await settled();
    expect(told()).toEqual([
      "ben@example.com Asked in your place",
      "cia@example.com Approval needed",
      "dan@example.com Approval needed",
    ]);
    seen = sink.mails.length;
    done(await deleteDelegation(app(), world.admin, made.id));
    await settled();
    expect(told()).toEqual(["ben@example.com Delegation ended", "dan@example.com Delegation ended"]);
  });

  it("engine R-MAIL-1: what the mail server refuses is tried again by the schedule, then given up with an entry and without a mail", async () => {
    sink.refuse({ code: 451, message: "later" });
    await made("two");
    const { rows } = await expect
      .poll(
        () =>
          world.sides[0].pool.query<{ attempts: number }>(
            "select attempts, last_error->>'code' as code from effects where state = 'failed' and result is not null",
          ),
        { timeout: 10_000 },
      )
      .toMatchObject({
        rows: [
          { attempts: 3, code: "smtp_451" },
          { attempts: 3, code: "smtp_451" },
        ],
      })
      .then(() => world.sides[0].pool.query("select 1 from ledger_entries where kind = 'effect.exhausted'"));
    expect(rows).toHaveLength(2);
    sink.refuse(null);
    await settled();
    expect(told()).toEqual([]);
  });

  it("engine R-MAIL-2: without a known address nothing is sent, and the message is shown as withdrawn", async () => {
    await world.sides[0].person("eve", { email: null });
    await world.sides[0].person("fay", { email: "a@example.com, b@example.com" });
    await activate(world, racePolicy("noaddress", [{ people: ["eve", "fay"] }]));
    const request = await made("noaddress");
    await settled();
    expect(told()).toEqual([]);
    const { rows } = await world.sides[0].pool.query(
      "select state, last_error->>'code' as code from effects where request_id = $1",
      [request.id],
    );
    expect(rows).toEqual([
      { state: "withdrawn", code: "no_address" },
      { state: "withdrawn", code: "no_address" },
    ]);
  });

  it("engine R-MAIL-3: what people write stays out of headers", async () => {
    const context = { title: "x\r\nBcc: evil@example.com\r\n\r\nbody", reason: "<b>now</b>" };
    const input = {
      policyKey: "any",
      artifactType: "payout",
      artifactId: "p",
      context,
      requester: null,
      expiresInHours: null,
    };
    done(await createRequest(app(), world.actor("ana"), input, null));
    await settled();
    for (const { email, recipients } of since()) {
      expect(email.subject).toBe("Approval needed: x Bcc: evil@example.com body");
      expect([recipients.length, email.bcc ?? null]).toEqual([1, null]);
      expect(email.html).toContain("&lt;b&gt;now&lt;/b&gt;");
    }
    expect(since()).toHaveLength(2);
  });

  it("identity R-FACT-8, R-FACT-7, R-LOCAL-4: people hear of what happens to their account", async () => {
    const { person } = world.actor("ben");
    if (person === null) throw new Error("ben is a person");
    const who = { personId: person.id, sessionId: null };
    const { ceremony } = await offerBackupCodes(app(), who);
    expect(await confirmBackupCodes(app(), who, ceremony)).toBeNull();
    done(await makeRecoveryLink(app(), world.admin, person.id));
    const refusal = refuse("mfa_verification_failed", "wrong");
    for (let attempt = 1; attempt <= 5; attempt++) {
      await countFailure(app(), who, { act: "signin", refusal, tried: [] }, app().clock());
    }
    await settled();
    expect(told()).toEqual([
      "ben@example.com A recovery link was made for your account",
      "ben@example.com New backup codes were made for your account",
      "ben@example.com Wrong proofs on your account",
    ]);
  });

  it("engine section 19: a server without encryption gets nothing while notifier.use_tls is true", async () => {
    const rest = { user: "u", password: "p", from: "a@example.com", useTls: true, timeoutMs: 5_000 };
    const mailer = createSmtpMailer({ host: "127.0.0.1", port: sink.port, ...rest });
    const mail = { messageId: "<1@example.com>", to: "b@example.com", subject: "s", text: "t", html: "<p>t</p>" };
    const answer = await mailer.send(mail, AbortSignal.timeout(5_000));
    expect(answer).toMatchObject({ accepted: false, code: "smtp_tls" });
    expect(told()).toEqual([]);
  });

  it("engine R-MAIL-1: with mail switched off nothing is decided about mail", async () => {
    const quiet = await createTestDatabase();
    const other = await openRaceWorld(quiet.url, ["ben"]);
    await activate(other, racePolicy("one", [{ people: ["ben"] }]));
    done(await ask(other.sides[0].app, other.admin, { policyKey: "one" }));
    const { rows } = await other.sides[0].pool.query("select 1 from effects");
    expect(rows).toEqual([]);
    await other.close();
    await quiet.drop();
  });
});
