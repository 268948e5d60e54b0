import { describe, expect, it } from "vitest";
import type { ProviderCall } from "../../ports/provider-exchange.ts";
import { createProviderExchange, type ExchangeFetch } from "./provider-exchange.ts";

const call: ProviderCall = {
  ...{ method: "GET", url: "https://api.example/secret-path", headers: {}, body: null },
  ...{ timeoutMs: 30, bytesMax: 1_000 },
};

const never: ExchangeFetch = (_url, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      reject(new Error("aborted"));
    });
  });

function answering(body: string | null, status = 200): ExchangeFetch {
  return async () => new Response(body, { status, headers: { etag: "x" } });
}

function failing(cause: unknown): ExchangeFetch {
  return async () => {
    throw cause;
  };
}

describe("an exchange", () => {
  it("deploy R-CI-8: gives the parsed JSON, and nothing where there is none", async () => {
    const answer = await createProviderExchange(answering('{"a":1}', 201))(call);
    expect(answer).toMatchObject({ status: 201, body: { a: 1 } });
    expect("status" in answer ? [answer.header("ETag"), answer.header("none")] : answer).toEqual(["x", null]);
    for (const text of ["<html>", "", null, '{"a":']) {
      expect(await createProviderExchange(answering(text))(call)).toMatchObject({ status: 200, body: undefined });
    }
  });

  it("deploy R-CI-8: takes an answer up to its bound, and not a byte more", async () => {
    const whole = JSON.stringify("x".repeat(998));
    expect(await createProviderExchange(answering(whole))(call)).toMatchObject({ status: 200 });
    const more = JSON.stringify("x".repeat(999));
    const refused = { unreachable: "the answer is larger than 1000 bytes", tooLarge: true };
    expect(await createProviderExchange(answering(more))(call)).toEqual(refused);
  });

  it("deploy R-GITHUB-1: ends after its own time, or when the time for all is over", async () => {
    expect(await createProviderExchange(never)(call)).toEqual({
      ...{ unreachable: "no answer within 0.03 s", tooLarge: false },
    });
    const over = { ...call, timeoutMs: 60_000, signal: AbortSignal.timeout(20) };
    expect(await createProviderExchange(never)(over)).toMatchObject({ unreachable: "the time for this was over" });
  });

  it("deploy R-CI-8: a failure says its code and never the address", async () => {
    const refused = Object.assign(new Error("connect https://api.example/secret-path"), { code: "ECONNREFUSED" });
    const reasons = [
      [new TypeError("fetch failed", { cause: refused }), "the connection failed (ECONNREFUSED)"],
      [refused, "the connection failed (ECONNREFUSED)"],
      [new Error("https://api.example/secret-path"), "the connection failed"],
      ["thrown text", "the connection failed"],
      [Object.assign(new Error("address not allowed"), { name: "OutboundRefused" }), "address not allowed"],
    ] as const;
    for (const [cause, unreachable] of reasons) {
      const answer = await createProviderExchange(failing(cause))(call);
      expect(answer).toEqual({ unreachable, tooLarge: false });
    }
  });
});
