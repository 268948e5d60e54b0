/** Mail about deploy requests, over a real SMTP connection (docs/spec/deploy.md R-MAIL-1). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSmtpMailer } from "../../src/adapters/smtp/smtp-mailer.ts";
import type { Application } from "../../src/app/application.ts";
import { describe as describeEntry } from "../../src/app/entry-writer.ts";
import { ledgerId } from "../../src/app/ledger-names.ts";
import type { PersonId } from "../../src/core/ids.ts";
import { DeployEffectsScene } from "../support/deploy-effects-scene.ts";
import { openSmtpSink, type SmtpSink } from "../support/smtp-sink.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

describe("deploy effects: mail", () => {
  let database: TestDatabase;
  let sink: SmtpSink;
  let scene: DeployEffectsScene;
  let seen = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    sink = await openSmtpSink();
    const settings = { host: "127.0.0.1", port: sink.port, user: "", password: "", useTls: false, timeoutMs: 5_000 };
    const mailer = createSmtpMailer({ ...settings, from: "Countersign <no-reply@example.com>" });
    const schedule = { waitsMs: [10], attemptsMax: 3, timeoutMs: 5_000 };
    const mail = { mailer, baseUrl: "https://mail.example.com", schedule };
    scene = await DeployEffectsScene.open(database.url, { environment: {}, settings: {}, mail });
  });
  beforeEach(() => {
    // What was sent before holds nothing back.
    scene.at.advance(16 * 60_000);
    seen = sink.mails.length;
  });
  afterAll(async () => {
    await scene.close();
    await sink.close();
    await database.drop();
  });

  const told = (): readonly string[] =>
    sink.mails
      .slice(seen)
      .map(({ recipients, email }) => `${recipients.join()} ${email.subject ?? ""}`)
      .toSorted();

  it("deploy R-MAIL-1: everybody who can approve is asked, and reminded while it waits", async () => {
    const request = await scene.ask({ message: "Ship it\r\nBcc: evil@example.com" });
    await scene.attempt("deploy.mail", request, { event: "created" });
    const needed = ["ann@example.com", "ben@example.com"].map(
      (to) => `${to} Deploy approval needed: myapp on production`,
    );
    expect(told()).toEqual(needed);
    const [first] = sink.mails.slice(seen);
    expect(first?.email.text).toContain("Message: Ship it Bcc: evil@example.com");
    expect(first?.email.text).toContain(`https://mail.example.com/app/deploy/requests/${request.id}`);
    seen = sink.mails.length;
    await scene.attempt("deploy.mail", request, { event: "reminder" });
    expect(told()).toEqual(needed.map((line) => line.replace("Deploy", "Reminder, deploy")));
    await scene.decide(request, "approve");
    seen = sink.mails.length;
    expect(await scene.attempt("deploy.mail", request, { event: "reminder" })).toMatchObject({ kind: "withdrawn" });
    expect(told()).toEqual([]);
  });

  it("deploy R-MAIL-1: whose request it is hears the outcome, and who is no longer needed hears that", async () => {
    const request = await scene.approved();
    await scene.attempt("deploy.mail", request, { event: "approved" });
    expect(told()).toEqual([
      "ann@example.com Deploy approved: myapp on production",
      "ben@example.com No longer needed, deploy approved: myapp on production",
    ]);
    await scene.deploy(request);
    scene.at.advance(16 * 60_000);
    seen = sink.mails.length;
    await scene.attempt("deploy.mail", request, { event: "deployed" });
    expect(told()).toEqual(["ann@example.com Deploy deployed: myapp on production"]);
  });

  it("deploy R-MAIL-1, identity R-ID-8: what a service account asked for is told to its contact, and what has owners to them", async () => {
    const { app } = scene.at;
    const [cleo, dan] = [await scene.at.person("cleo"), await scene.at.person("dan")];
    const told = async (owners: readonly PersonId[]): Promise<readonly string[]> => {
      const createdByTokenId = await madeToken(app, { owners, contactId: cleo.person?.id ?? null });
      const request = await scene.approved({ createdByTokenId, createdByPersonId: null });
      await scene.attempt("deploy.mail", request, { event: "approved" });
      return sink.mails.slice(seen).map(({ recipients }) => recipients.join());
    };
    expect(await told([])).toEqual(["cleo@example.com", "ben@example.com"]);
    scene.at.advance(16 * 60_000);
    seen = sink.mails.length;
    expect(await told(dan.person === null ? [] : [dan.person.id])).toEqual(["dan@example.com", "ben@example.com"]);
  });

  it("deploy R-MAIL-1: one message per event and person, however often the effect is attempted", async () => {
    const request = await scene.ask();
    const effect = await scene.decideEffect("deploy.mail", request, { event: "created" });
    sink.refuse({ code: 451, message: "later" });
    expect(await scene.attemptOf(effect)).toMatchObject({ kind: "retry", error: { code: "smtp_451" } });
    sink.refuse(null);
    await scene.attemptOf(effect, 2);
    expect(await scene.attemptOf(effect, 3)).toMatchObject({ kind: "done" });
    expect(told()).toHaveLength(2);
    const ids = sink.mails.slice(seen).map(({ email }) => email.messageId);
    expect(new Set(ids).size).toBe(2);
  });

  it("deploy R-MAIL-1: what comes within 15 minutes of another message goes out with the next one, once, and only what still needs somebody", async () => {
    const effects = [];
    for (const commit of ["1", "2", "3", "4"]) {
      const request = await scene.ask({ commit: commit.repeat(40) });
      effects.push({ request, effect: await scene.decideEffect("deploy.mail", request, { event: "created" }) });
    }
    const [first, second, third, fourth] = effects;
    if (first === undefined || second === undefined || third === undefined || fourth === undefined) throw new Error();
    expect(await scene.attemptOf(first.effect)).toMatchObject({ kind: "done" });
    scene.at.advance(60_000);
    for (const { effect } of [second, third, fourth]) {
      const wait = await scene.attemptOf(effect);
      expect(wait).toMatchObject({ kind: "retry", error: { code: "merged" } });
      expect(wait.kind === "retry" && (wait.afterMs ?? 0) > 13 * 60_000).toBe(true);
    }
    expect(told()).toHaveLength(2);
    await scene.decide(third.request, "approve");
    seen = sink.mails.length;
    scene.at.advance(14 * 60_000 + 1);
    expect(await scene.attemptOf(second.effect, 2)).toMatchObject({ kind: "done" });
    expect(told()).toEqual(["ann", "ben"].map((name) => `${name}@example.com 2 deploy approvals needed`));
    const text = sink.mails.slice(seen)[0]?.email.text ?? "";
    for (const { request } of [second, fourth]) expect(text).toContain(`/app/deploy/requests/${request.id}`);
    expect(text).not.toContain(third.request.id);
    seen = sink.mails.length;
    expect(await scene.attemptOf(fourth.effect, 2)).toMatchObject({ kind: "done" });
    expect(await scene.attemptOf(third.effect, 2)).toMatchObject({ kind: "withdrawn" });
    expect(told()).toEqual([]);
  });
});

/** Of a machine of these people. */
async function madeToken(
  app: Application,
  people: { readonly owners: readonly PersonId[]; readonly contactId: PersonId | null },
): Promise<string> {
  const [machineId, id, orgId, createdAt] = [app.newId(), app.newId(), app.orgId, app.clock()];
  const machine = { id: machineId, orgId, kind: "ci", name: machineId, ...people, actsForId: null } as const;
  const token = {
    ...{ id, orgId, machineId, name: id, prefix: "rgw_", lastFour: "0000", scopes: [], creatorPermissions: [] },
    ...{ limits: {}, createdBy: "ann", createdAt, expiresAt: null, revokedAt: null, legacy: false, exchanged: null },
    warnedDays: null,
  };
  const frame = { org: ledgerId("org", orgId), actor: "sys_test", credential: null, resource: null, request: null };
  const entry = describeEntry({ ...frame, kind: "setting.changed", data: { key: "test", old: null, new: null } }, app);
  const records = { machine: [{ ...machine, createdBy: "ann", createdAt, disabledAt: null }], apiToken: [token] };
  await app.store.submit({
    name: "write_token",
    needs: {},
    carryOut: () => ({ answer: null, changes: { entries: [entry], records } }),
  });
  return id;
}
