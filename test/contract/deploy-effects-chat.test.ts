/** Deploy approvals in chat: a connection by OAuth whose token nobody sees, and one message that follows the request (docs/spec/deploy.md section 16). */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  beginChatConnection,
  finishChatConnection,
  setChatAlerts,
  type ChatAuthor,
} from "../../src/app/deploy/chat-integration.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import type { Request } from "../../src/core/request.ts";
import { recordsBy } from "../../src/ports/records.ts";
import { deployCall, itemsOf, openDeployServer, told, type DeployServer } from "../support/deploy-server.ts";
import { DeployEffectsScene } from "../support/deploy-effects-scene.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { signedInAs } from "../support/signed-in.ts";
import {
  openSlackSimulator,
  textsOf,
  type SimulatedMessage,
  type SlackSimulator,
} from "../support/slack-simulator/slack-simulator.ts";
import { createProviderExchange } from "../../src/adapters/outbound/provider-exchange.ts";
import { createSlack } from "../../src/adapters/slack/slack.ts";
import { createChatTold } from "../../src/adapters/postgres/chat-told.ts";
import { channelTelling } from "../../src/app/deploy/tell-channels.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { verifyDatabase } from "../support/verify-database.ts";

describeOnEveryPostgres("deploy effects: chat", (database) => {
  let slack: SlackSimulator;
  let scene: DeployEffectsScene;

  beforeAll(async () => {
    slack = await openSlackSimulator();
    const { clientId, clientSecret, url } = slack;
    scene = await DeployEffectsScene.open(database.url, {
      environment: { SLACK_CLIENT_ID: clientId, SLACK_CLIENT_SECRET: clientSecret, SLACK_URL: url },
      settings: {},
    });
    const author: ChatAuthor = { actor: scene.ann, sessionId: randomUUID() };
    const { app } = scene.at;
    const begun = await beginChatConnection(app, author, "https://approvals.example.com/back");
    if (isRefusal(begun)) throw new Error(begun.message);
    const state = new URL(begun.url).searchParams.get("state") ?? "";
    const made = await finishChatConnection(app, author, { state, code: slack.allow(begun.url) });
    if (isRefusal(made)) throw new Error(made.message);
    await setChatAlerts(app, scene.ann, { enabled: true, channelId: "C1" });
  });
  afterEach(() => {
    slack.heal();
  });
  afterAll(async () => {
    await scene.close();
    await slack.close();
  });

  /** Messages about this request, the thread's replies behind the message itself. */
  function about({ id }: { readonly id: string }): readonly SimulatedMessage[] {
    const own = slack.messages.filter(({ blocks }) => JSON.stringify(blocks).includes(id));
    return own.flatMap((message) => [message, ...slack.messages.filter(({ thread }) => thread === message.ts)]);
  }

  function shown(request: { readonly id: string }): readonly string[] {
    return about(request).map(({ blocks }) => textsOf(blocks).join(" | "));
  }

  const tell = (request: Pick<Request, "id">) => scene.attempt("deploy.chat", request, { event: "changed" });

  it("deploy R-SLACK-2: one message says what is asked, and is edited on every step", async () => {
    const request = await scene.ask({ message: "Ship the new checkout" });
    expect(await tell(request)).toMatchObject({ kind: "done" });
    expect(shown(request)).toEqual([
      expect.stringMatching(/Deploy approval needed.*myapp on production.*0 of 1.*Display ann.*Ship the new checkout/s),
    ]);
    const calls = slack.log.length;
    await tell(request);
    expect(slack.log).toHaveLength(calls);
    await scene.decide(request, "approve");
    await tell(request);
    expect(shown(request)).toEqual([expect.stringMatching(/Deploy approved.*Approved by\nDisplay ann.*Valid until/s)]);
    await scene.deploy(request);
    await tell(request);
    expect(shown(request)).toEqual([expect.stringMatching(/^Deployed \|/)]);
    expect(about(request)[0]?.edits).toBe(2);
  });

  it("deploy R-SLACK-2: a rejection and an expiry are told in the thread besides, once", async () => {
    const rejected = await scene.ask();
    await tell(rejected);
    await scene.decide(rejected, "reject", "not on a Friday");
    await tell(rejected);
    await tell(rejected);
    expect(shown(rejected)).toEqual([
      expect.stringMatching(/Deploy rejected.*not on a Friday/s),
      "Rejected by Display ann: not on a Friday",
    ]);
    const expired = await scene.ask();
    await tell(expired);
    scene.at.advance(61 * 60_000);
    await tell(expired);
    expect(shown(expired)).toEqual([expect.stringContaining("Deploy request expired"), "The request expired."]);
    const late = await scene.ask();
    await scene.decide(late, "reject", "no");
    expect(await tell(late)).toMatchObject({ kind: "withdrawn" });
    expect(about(late)).toEqual([]);
  });

  it("deploy R-SLACK-2 (acceptance 57): markup, HTML, mentions and letters that turn the text are shown and not interpreted", async () => {
    const message = `<!channel> <https://evil.example|Approve> *bold* @here \u202Eevil & <b>x</b>\n${"&".repeat(4_000)}`;
    const request = await scene.ask({ message, branch: "a<b|c>`d" });
    await tell(request);
    const [{ blocks, text } = { blocks: [], text: "" }] = about(request);
    const elements = JSON.stringify(blocks);
    expect(text).toBe("Deploy approval needed");
    expect(elements).toContain("&lt;!channel&gt; &lt;https://evil.example|Approve&gt; *bold*");
    expect(elements).toContain("\\\\u{202e}evil &amp;");
    expect(elements).not.toMatch(/<!channel|<https:\/\/evil|\u202e/);
    const message_ = blocks.find((block) => JSON.stringify(block).includes("channel"));
    expect(message_).toMatchObject({ type: "section", text: { type: "plain_text", emoji: false } });
    expect(textsOf(blocks).every((shownText) => shownText.length <= 3_000)).toBe(true);
  });

  it("deploy R-SLACK-3 (acceptance 56): the message has one button, a link to the request's page, and nothing that decides", async () => {
    const request = await scene.ask();
    await tell(request);
    const [{ blocks } = { blocks: [] }] = about(request);
    const elements = blocks.flatMap((block) => itemsOf(block["elements"]));
    expect(elements).toEqual([
      expect.objectContaining({
        type: "button",
        url: `https://approvals.example.com/app/deploy/requests/${request.id}`,
      }),
    ]);
    expect(JSON.stringify(blocks)).not.toContain("action_id");
  });

  it("deploy R-SLACK-2: what the chat does not take now is tried again, what it never takes fails, a deleted message is posted anew", async () => {
    const request = await scene.ask();
    const limited = { status: 429, headers: { "retry-after": "7" }, body: {} };
    slack.fail({ path: /postMessage/, times: 1, fault: { kind: "answer", answer: limited } });
    expect(await tell(request)).toMatchObject({ kind: "retry", afterMs: 7_000 });
    await tell(request);
    const [first] = about(request);
    slack.messages.splice(
      slack.messages.findIndex((one) => one === first),
      1,
    );
    await scene.decide(request, "approve");
    expect(await tell(request)).toMatchObject({ kind: "done" });
    expect(shown(request)).toEqual([expect.stringContaining("Deploy approved")]);
    const archived = { status: 200, body: { ok: false, error: "is_archived" } };
    slack.fail({ path: /postMessage/, times: 1, fault: { kind: "answer", answer: archived } });
    const other = await scene.ask();
    expect(await tell(other)).toMatchObject({
      kind: "failed",
      error: { code: "chat_refused", message: "Slack refused it: is_archived" },
    });
  });

  it("deploy R-SLACK-1: the token is sealed in the database and stands in no entry", async () => {
    const [record] = await scene.at.app.reader.records(recordsBy("chatIntegration", "orgId", [scene.at.app.orgId]));
    expect(record?.botToken).toMatch(/^s1\./);
    const { rows } = await scene.at.pool.query<{ text: string }>(
      "select text from ledger_entries union all select value::text from ledger_openings",
    );
    expect(rows.filter(({ text }) => text.includes("xoxb-") || text.includes(record?.botToken ?? ""))).toEqual([]);
    expect(await scene.entries("integration.changed")).toHaveLength(2);
    expect(await verifyDatabase(database.url)).toEqual([]);
  });
});

describe("deploy effects: chat over HTTP", () => {
  let slack: SlackSimulator;
  let open: DeployServer;

  beforeAll(async () => {
    slack = await openSlackSimulator();
    slack.addChannel("C2", "deploys");
    slack.addChannel("C3", "random");
    const chat = createSlack(
      slack,
      createProviderExchange((url, init) => fetch(url, init)),
    );
    open = await openDeployServer({ deploy: { chat } });
  });
  afterAll(async () => {
    await open.close();
    await slack.close();
  });

  const SLACK = "/integrations/slack";

  async function authorized(): Promise<{ readonly url: string; readonly state: string }> {
    const answer = await deployCall(open.admin, "POST", `${SLACK}/oauth/authorize`, {});
    const url = textAt(bodyOf(answer), "authorization_url");
    return { url, state: new URL(url).searchParams.get("state") ?? "" };
  }

  const back = (by: DeployServer["admin"], query: Readonly<Record<string, string>>) =>
    deployCall(by, "GET", `${SLACK}/oauth/callback?${new URLSearchParams(query).toString()}`);

  it("deploy R-SLACK-1: connected by OAuth with a state of one session, one use and ten minutes; the token is in no answer", async () => {
    expect(bodyOf(await deployCall(open.admin, "GET", SLACK))).toMatchObject({ configured: true, connected: false });
    const other = await signedInAs(open.at, open.admin, { roles: ["admin"] });
    const first = await authorized();
    const code = slack.allow(first.url);
    expect((await back(other, { state: first.state, code })).statusCode).toBe(400);
    expect((await back(open.admin, { state: first.state, code })).statusCode).toBe(400);
    const second = await authorized();
    open.at.advance(601_000);
    expect((await back(open.admin, { state: second.state, code: slack.allow(second.url) })).statusCode).toBe(400);
    expect((await back(open.admin, { state: randomUUID(), code })).statusCode).toBe(400);
    const third = await authorized();
    const made = await back(open.admin, { state: third.state, code: slack.allow(third.url) });
    expect([made.statusCode, made.headers["location"]]).toEqual([302, "/app/deploy/integrations"]);
    const shown = await deployCall(open.admin, "GET", SLACK);
    expect(bodyOf(shown)).toMatchObject({ connected: true, team_name: "Example", deploy_approvals_channel_id: null });
    expect(shown.body).not.toMatch(/xoxb|s1\./);
  });

  it("deploy R-SLACK-1: channels are listed whole, alerts are set, a test is posted, and ending it gives the token back", async () => {
    const listed = bodyOf(await deployCall(open.admin, "GET", `${SLACK}/channels/list`));
    expect(listed["channels"]).toMatchObject([{ id: "C1" }, { id: "C2", name: "deploys" }, { id: "C3" }]);
    const alerts = { deploy_approvals_enabled: true, deploy_approvals_channel_id: "C2" };
    expect(bodyOf(await deployCall(open.admin, "PUT", `${SLACK}/alerts`, alerts))).toMatchObject(alerts);
    expect(
      told(await deployCall(open.admin, "PUT", `${SLACK}/alerts`, { ...alerts, deploy_approvals_channel_id: "<C2>" })),
    ).toMatch(/^400/);
    expect((await deployCall(open.admin, "POST", `${SLACK}/test`, { channel_id: "C2" })).statusCode).toBe(200);
    expect(slack.messages.at(-1)).toMatchObject({ channel: "C2" });
    expect((await deployCall(open.admin, "POST", `${SLACK}/test`, { channel_id: "C9" })).statusCode).toBe(400);
    expect((await deployCall(open.admin, "DELETE", SLACK)).statusCode).toBe(204);
    expect(slack.tokens.size).toBe(0);
    expect(bodyOf(await deployCall(open.admin, "GET", SLACK))).toMatchObject({ connected: false, team_name: null });
    expect((await deployCall(open.admin, "GET", `${SLACK}/channels/list`)).statusCode).toBe(404);
  });

  it("deploy R-SLACK-4: a channel is told of the events whose names its globs match, from when it asks for them, once, in whatever process", async () => {
    const begun = await authorized();
    const code = slack.allow(begun.url);
    expect((await back(open.admin, { state: begun.state, code })).statusCode).toBe(302);
    const { app, pool } = open.at;
    const [here, there] = [channelTelling(app, createChatTold(pool)), channelTelling(app, createChatTold(pool))];
    const round = async (): Promise<void> => {
      open.at.advance(6_000);
      await Promise.all([here(), there()]);
    };
    await round();
    const ask = { C2: ["api-token.*"], staff: { id: "C3", name: "#staff", actions: ["*.update", "integration.*"] } };
    const set = await deployCall(open.admin, "PUT", `${SLACK}/channels`, { channel_actions: ask });
    expect(bodyOf(set)).toMatchObject({ channel_actions: { C2: ["api-token.*"], C3: ["*.update", "integration.*"] } });
    const before = slack.messages.length;
    await round();
    const told_ = (): readonly string[] =>
      slack.messages.slice(before).map(({ channel, blocks }) => `${channel} ${textsOf(blocks).join(" | ")}`);
    expect(told_()).toEqual([]);
    const entries = slack.log.length;
    await deployCall(open.admin, "POST", "/api-tokens", { name: "for the chat", role: "cicd" });
    slack.fail({ path: /postMessage/, times: 1, fault: { kind: "answer", answer: { status: 503, body: {} } } });
    await round();
    expect([told_().length, slack.log.length - entries]).toEqual([0, 1]);
    await round();
    await round();
    expect(told_()).toEqual([expect.stringMatching(/^C2 api_token\.create \| By\n.*Outcome\nsuccess/s)]);
    expect(told_().join()).not.toContain("@");
    for (const wrong of [{ C2: ["(.*)"] }, { nowhere: ["a"] }, { C2: "a" }]) {
      const refused = await deployCall(open.admin, "PUT", `${SLACK}/channels`, { channel_actions: wrong });
      expect(refused.statusCode).toBe(400);
    }
  });

  it("deploy R-SLACK-1: nobody without the permission connects, changes or ends it", async () => {
    const viewer = await signedInAs(open.at, open.admin, { roles: ["viewer"] });
    for (const [method, path] of [
      ["POST", "/oauth/authorize"],
      ["PUT", "/alerts"],
      ["PUT", "/channels"],
      ["DELETE", ""],
      ["POST", "/test"],
    ] as const) {
      expect((await deployCall(viewer, method, `${SLACK}${path}`, {})).statusCode).toBe(403);
    }
  });
});
