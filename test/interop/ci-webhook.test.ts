/** Our signed messages as a receiver of Standard Webhooks reads them: docs/spec/deploy.md R-CI-7, row webhook. */
import { createHmac } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createCiWebhook } from "../../src/adapters/ci-webhook/ci-webhook.ts";
import { createGuardedFetch } from "../../src/adapters/outbound/guarded-fetch.ts";
import { createProviderExchange } from "../../src/adapters/outbound/provider-exchange.ts";
import type { CiProvider, CiRequest } from "../../src/ports/ci-provider.ts";
import { SimulatorServer, type SimulatedCall } from "../support/simulator-server.ts";

/** The vector of the Standard Webhooks specification's own libraries. */
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const object = {
  public_id: "0b7e7f0e-58b1-4c53-9c8e-0f6d2b1f7c11",
  status: "approved",
  ci_metadata: { callback_id: "7" },
};

let receiver: SimulatorServer;

beforeEach(async () => {
  receiver = await SimulatorServer.open({
    ...{ name: "receiver", prefix: "", check: () => null },
    routes: [{ method: "POST", path: /^\/hook$/, answer: () => ({ status: 202, body: "thanks" }) }],
  });
});

afterEach(async () => {
  await receiver.close();
});

function adapter(development = true, known: string | null = secret): CiProvider {
  const fetch = createGuardedFetch({ allow: [], allowHttp: false, development });
  const clock = () => Date.UTC(2026, 0, 1);
  return createCiWebhook({ exchange: createProviderExchange(fetch), clock, secretOf: () => known, timeoutMs: 2_000 });
}

function request(webhookUrl: string | null = `${receiver.url}/hook`): CiRequest {
  const settings = {
    ...{ provider: "webhook", vcsProvider: "github" as const, vcsRepo: null, approvalJobName: "", autoApprove: false },
    ...{ cancelOnRejection: false, githubEnvironment: null, webhookUrl },
  };
  return {
    scope: "production",
    app: "myapp",
    commit: "a".repeat(40),
    metadata: null,
    settings,
    comment: "",
    effectId: "eff_1",
    object,
  };
}

/** As a receiver checks it: id, time and the body as it came, under the shared secret. */
function isGenuine({ headers, body }: SimulatedCall): boolean {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  return headers["webhook-signature"] === `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
}

it("deploy R-CI-7: every outcome is told, signed, under one id for all attempts", async () => {
  expect(await adapter().unblock(request())).toEqual({ result: "done", record: {} });
  for (const outcome of ["rejected", "expired", "cancelled", "superseded", "deployed"] as const) {
    expect((await adapter().close(request(), outcome)).result).toBe("done");
  }
  expect(receiver.calls.map((call) => [isGenuine(call), call.headers["webhook-id"]])).toEqual(
    Array.from({ length: 6 }, () => [true, "eff_1"]),
  );
  const kinds = ["approved", "rejected", "expired", "cancelled", "superseded", "deployed"];
  expect(receiver.calls.map(({ body }): unknown => JSON.parse(body))).toEqual(
    kinds.map((kind) => ({ type: `deploy.${kind}`, data: object })),
  );
  expect(receiver.calls[0]?.headers["webhook-timestamp"]).toBe("1767225600");
});

it("deploy R-CI-7: the address of a webhook is guarded", async () => {
  const result = await adapter(false).unblock(request());
  expect(result.result === "retry" ? result.why : result).toContain("the address is not allowed");
  const inside = await adapter().unblock(request("http://169.254.169.254/latest/meta-data/"));
  expect(inside.result).toBe("retry");
  expect(receiver.calls).toEqual([]);
});

it.each([
  [500, "retry"],
  [429, "retry"],
  [302, "retry"],
  [400, "permanent"],
  [403, "permanent"],
  [404, "permanent"],
  [410, "permanent"],
])("deploy R-CI-1: a receiver that answers %i: %s", async (status, result) => {
  const headers = { location: `${receiver.url}/hook` };
  receiver.fail({ path: /hook/, fault: { kind: "answer", answer: { status, headers } } });
  expect((await adapter().unblock(request())).result).toBe(result);
  expect(receiver.calls).toHaveLength(1);
});

it.each([null, "", "whsec_", "whsec_c2hvcnQ=", "not a secret of this kind at all, but long enough"])(
  "deploy R-CI-7: nothing goes out unsigned (secret %j)",
  async (known) => {
    expect(await adapter(true, known).unblock(request())).toMatchObject({ code: "ci_not_configured" });
    expect(receiver.calls).toEqual([]);
  },
);

it("deploy R-CI-2: an app without an address is told so", async () => {
  const asked = request(null);
  expect(await adapter().unblock(asked)).toMatchObject({ result: "permanent", code: "ci_not_configured" });
  expect(await adapter().verify(asked)).toMatchObject({
    kind: "problems",
    problems: [{ code: "provider_unsupported" }],
  });
  expect(adapter().describe(null, asked.settings).ready).toBe(false);
  expect(adapter().describe(null, request().settings)).toEqual({ ready: true, problems: [], url: null });
  expect(await adapter().verify(request())).toEqual({ kind: "matches", status: "waiting" });
});
