/**
 * Fills an empty development ledger with a demonstration, so that the first look shows something alive. Everything goes
 * through the use cases, by people who may do it: the ledger tells it like anything else.
 */
import { activatePolicy } from "../../app/activate-policy.ts";
import type { Application } from "../../app/application.ts";
import { createPolicy } from "../../app/create-policy.ts";
import { createRequest } from "../../app/create-request.ts";
import { identify } from "../../app/identify.ts";
import { putDirectoryEntry } from "../../app/put-directory-entry.ts";
import { policyCreateSchema } from "../../contract/policy.ts";
import { admitted, type Actor } from "../../app/admitted-actor.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import { DEVELOPMENT_ISSUER } from "../../http/token-verification/development-verifier.ts";
import { demoPeople } from "./demo-people.ts";
import { demoDirectory, demoPolicies, demoRequests } from "./demo-policies.ts";

export async function seedDemo(app: Application): Promise<void> {
  const actors = new Map<string, Actor>();
  for (const { assignee, name, roles } of demoPeople) {
    const principal = { issuer: DEVELOPMENT_ISSUER, subject: assignee, assignee, name, roles };
    const known = await identify(app, { ...principal, email: null, clientId: null, machine: false });
    actors.set(assignee, admitted(accepted(known)));
  }
  const actorOf = (name: string): Actor => {
    const actor = actors.get(name);
    if (actor === undefined) throw new Error(`Bug: the demonstration has nobody called ${name}`);
    return actor;
  };
  const admin = actorOf("dev-admin");
  for (const { kind, name, members } of demoDirectory) {
    accepted(await putDirectoryEntry(app, admin, { kind, client: "", name, members }));
  }
  for (const written of demoPolicies) {
    const document = policyCreateSchema.parse(written);
    accepted(await createPolicy(app, admin, document, null));
    accepted(await activatePolicy(app, admin, { key: document.policy_key, version: 1 }, null));
  }
  for (const { by, ...wanted } of demoRequests) {
    accepted(await createRequest(app, actorOf(by), { ...wanted, requester: null, expiresInHours: null }, null));
  }
}

function accepted<Answer extends object>(answer: Answer | Refusal): Answer {
  if (isRefusal(answer)) throw new Error(`Bug: the demonstration was refused: ${answer.message}`);
  return answer;
}
