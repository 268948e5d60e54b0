/** The policies that the gates bring with them, in every organization, from when it is made and at every start (docs/spec/policies.md R-POLICY-10). */
import type { Logger } from "pino";
import type { Application } from "../app/application.ts";
import { installManagedPolicies } from "../app/install-managed-policies.ts";
import { policyCreateSchema } from "../contract/policy.ts";
import type { JsonObject } from "../core/json.ts";
import { defaultDeployPolicy } from "../gates/deploy/default-policy.ts";

/** Each gate adds its own here. */
const DOCUMENTS: readonly JsonObject[] = [defaultDeployPolicy];

/** Written as through the API, so that they are read back as what they are. */
export function managedPolicies(): readonly JsonObject[] {
  return DOCUMENTS.map((document) => policyCreateSchema.parse(document));
}

export async function keepManagedPolicies(
  app: Application,
  log: Pick<Logger, "warn">,
  documents: readonly JsonObject[] = app.managedPolicies,
): Promise<void> {
  for (const { id } of documents.length === 0 ? [] : await app.reader.organizations()) {
    const outcomes = await installManagedPolicies(app.forOrganization(id), documents);
    for (const { key, outcome } of outcomes) {
      if (outcome === "taken")
        log.warn({ organization: id, policy: key }, "a policy of one's own has the product's key");
    }
  }
}
