import { describe, expect, it, vi } from "vitest";

import { actOnDeploy, logDetails, retryEffect } from "./deploy-approvals.ts";

describe("calls of the deploy pages", () => {
  it("deploy R-UI-3: the first outside call of a request is number 1 when it is tried again", async () => {
    const called = vi.fn(() => Promise.resolve(new Response("{}", { status: 202 })));
    vi.stubGlobal("fetch", called);
    await retryEffect("7f0c", 0);
    expect(called).toHaveBeenCalledWith("/api/v1/deploy-approval-requests/7f0c/effects/1/retry", expect.anything());
  });

  it("deploy R-STATE-4: a rejection names the version that was on the screen, and carries no factor", async () => {
    const refused = { error: "deploy approval request has changed", code: "request_changed", hint: "Reload." };
    const called = vi.fn<(path: string, call: RequestInit) => Promise<Response>>(() =>
      Promise.resolve(new Response(JSON.stringify(refused), { status: 412 })),
    );
    vi.stubGlobal("fetch", called);
    const sent = actOnDeploy({ id: "7f0c", act: "reject", notes: " ", version: 12 });
    await expect(sent).rejects.toMatchObject({ code: "request_changed", message: refused.error, hint: "Reload." });
    const headers = new Headers(called.mock.calls[0]?.[1].headers);
    expect([headers.get("If-Match"), headers.get("X-MFA-WebAuthn"), headers.get("X-Mfa-Totp")]).toEqual([
      '"12"',
      null,
      null,
    ]);
  });

  it("deploy R-UI-2: approving asks for a factor before anything is sent; closed, nothing is", async () => {
    const called = vi.fn();
    vi.stubGlobal("fetch", called);
    const sent = actOnDeploy({ id: "7f0c", act: "approve", notes: "", version: 1 });
    await expect(sent).rejects.toMatchObject({ name: "ProofDeclined" });
    expect(called).not.toHaveBeenCalled();
  });

  it("deploy R-UI-3: details that are no JSON are no details", () => {
    const log = { timestamp: "", action: "x", status: "success", chain_index: 1, event_hash: "", previous_hash: "" };
    const nobody = { user_email: null, user_name: null, api_token_name: null, kind: "x" };
    expect(logDetails({ ...log, ...nobody, details: "{" })).toEqual({});
    expect(logDetails({ ...log, ...nobody, details: '{"notes":"ok"}' })).toEqual({ notes: "ok" });
  });
});
