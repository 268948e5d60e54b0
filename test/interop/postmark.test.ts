/** Mail through Postmark's API: what is sent there, and what its refusals mean (docs/spec/deploy.md R-MAIL-1). */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createGuardedFetch } from "../../src/adapters/outbound/guarded-fetch.ts";
import { createProviderExchange } from "../../src/adapters/outbound/provider-exchange.ts";
import { createPostmarkMailer } from "../../src/adapters/postmark/postmark-mailer.ts";
import type { Mailer } from "../../src/ports/mailer.ts";
import { openPostmarkSimulator, type PostmarkSimulator } from "../support/postmark-simulator/postmark-simulator.ts";

describe("Postmark", () => {
  let postmark: PostmarkSimulator;

  beforeAll(async () => {
    postmark = await openPostmarkSimulator();
  });
  afterEach(() => {
    postmark.heal();
  });
  afterAll(() => postmark.close());

  function mailer(changed: { readonly token?: string; readonly from?: string } = {}, development = true): Mailer {
    const { url, token, sender } = postmark;
    const settings = { url: `${url}/`, token, from: `Countersign <${sender}>`, stream: "outbound", timeoutMs: 500 };
    const fetch = createGuardedFetch({ allow: [], allowHttp: development, development });
    return createPostmarkMailer({ ...settings, ...changed }, createProviderExchange(fetch));
  }

  const mail = {
    ...{ messageId: "<one@example.com>", to: "ann@example.com", subject: "Deploy approval needed" },
    ...{ text: "Open it: https://approvals.example.com/app", html: "<p>Open it</p>" },
  };
  const send = (by: Mailer, to = mail.to) => by.send({ ...mail, to }, new AbortController().signal);

  it("deploy R-MAIL-1: one message goes out whole, under the name that a repeat has too, and nobody counts its links", async () => {
    const sent = await send(mailer());
    expect(sent.accepted ? sent.response : sent.code).toMatch(/^OK [0-9a-f-]{36}$/);
    expect(postmark.messages).toEqual([
      expect.objectContaining({
        ...{ From: "Countersign <no-reply@example.com>", To: mail.to, Subject: mail.subject, TextBody: mail.text },
        ...{ HtmlBody: mail.html, MessageStream: "outbound", TrackOpens: false, TrackLinks: "None" },
      }),
    ]);
    expect(postmark.messages[0]?.["Headers"]).toEqual(
      expect.arrayContaining([
        { Name: "Message-ID", Value: mail.messageId },
        { Name: "X-PM-KeepID", Value: "true" },
      ]),
    );
  });

  it("deploy R-MAIL-1: what Postmark refuses is told by its code, and the token by nobody", async () => {
    postmark.inactive.add("gone@example.com");
    expect(await send(mailer(), "gone@example.com")).toMatchObject({ accepted: false, code: "postmark_406" });
    const wrong = mailer({ token: "a-secret-token" });
    expect(await send(wrong)).toEqual({
      ...{ accepted: false, code: "postmark_sign_in", message: "Postmark refused the server token" },
    });
    expect(await send(mailer({ from: "evil@example.com" }))).toMatchObject({ code: "postmark_400" });
  });

  it("deploy R-MAIL-1: an outage is a value, and an address inside is not called", async () => {
    postmark.fail({ path: /email/, times: 1, fault: { kind: "answer", answer: { status: 503, body: "down" } } });
    expect(await send(mailer())).toMatchObject({ accepted: false, code: "postmark_503" });
    postmark.fail({ path: /email/, times: 1, fault: { kind: "reset" } });
    expect(await send(mailer())).toMatchObject({ code: "postmark_unreachable" });
    postmark.fail({ path: /email/, times: 1, fault: { kind: "silence" } });
    const silent = await send(mailer());
    expect(silent.accepted ? "" : silent.message).toBe("Postmark cannot be reached: no answer within 0.5 s");
    const before = postmark.messages.length;
    expect(await send(mailer({}, false))).toMatchObject({ accepted: false, code: "postmark_unreachable" });
    expect(postmark.messages).toHaveLength(before);
  });
});
