import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Sha256 } from "../ledger/sha256.ts";
import { actCode, actRoute, decisionAct, decisionsAct, type DecidedRevision } from "./proof-act.ts";

const sha256: Sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const ID = "2f1d6c1e-7c53-4f0e-9d58-0f6a4f1f7a10";
const OTHER = "9b2f6c1e-7c53-4f0e-9d58-0f6a4f1f7a11";
const decided: DecidedRevision = { taskId: ID, decision: "approve", revision: 1, digest: "sha256:aa" };

describe("the act of a proof", () => {
  it("identity R-STEP-2: names task, decision, revision and payload digest", () => {
    expect(decisionAct(decided)).toBe(`POST /tasks/${ID}/decision approve 1 sha256:aa`);
  });

  it.each<Partial<DecidedRevision>>([
    { taskId: OTHER },
    { decision: "reject" },
    { revision: 2 },
    { digest: "sha256:ab" },
  ])("identity R-STEP-5: a list with %j instead is another act", (change) => {
    const second = { ...decided, taskId: OTHER };
    const acts = [
      [decided, second],
      [{ ...decided, ...change }, second],
      [second, decided],
      [decided],
      [decided, second, second],
    ].map((list) => decisionsAct(list, sha256));
    expect(new Set(acts).size).toBe(acts.length);
  });

  it.each([
    [`POST /people/${ID}/suspend`, "POST /people/{id}/suspend", "post_people_suspend"],
    [`DELETE /me/factors/${ID}`, "DELETE /me/factors/{id}", "delete_me_factors"],
    [`POST /tasks/${ID}/decision approve 1 sha256:aa`, "POST /tasks/{id}/decision", "post_tasks_decision"],
    ["POST /session/step-up", "POST /session/step-up", "post_session_step_up"],
    ["PUT /directory/roles/ana.ruiz", "PUT /directory/roles/{name}", "put_directory_roles"],
    ["PUT /policies/ana.leaves", "PUT /policies/{name}", "put_policies"],
    [
      "POST /policies/pay/versions/2/activate",
      "POST /policies/{name}/versions/2/activate",
      "post_policies_versions_activate",
    ],
    ["POST /people/%F0%9F%A6%8A", null, null],
    ["", null, null],
  ])("ledger R-PRIV-1: %s is told as %s", (act, route, code) => {
    expect([actRoute(act), actCode(act)]).toEqual([route, code]);
  });
});
