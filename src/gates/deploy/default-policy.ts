/**
 * Who decides where nobody has said otherwise? The policy that the gate brings with it: one administrator of the rack, with a
 * factor, who neither asked, nor owns the token, nor wrote the commit. Implements docs/spec/deploy.md R-REQ-9.
 */
import type { JsonObject } from "../../core/json.ts";

const DEFAULT_DEPLOY_POLICY = "deploy-default";

/** What the gate's requests are about, in the words of policies. */
export const DEPLOY_ARTIFACT = "deploy";

/** Life of the request and the window of the grant are the gate's settings, read when they are needed. */
export const defaultDeployPolicy: JsonObject = {
  policy_key: DEFAULT_DEPLOY_POLICY,
  name: "Deploy approval",
  artifact_type: DEPLOY_ARTIFACT,
  forbid_self_approval: true,
  forbidden_approvers: ["target_token.owner", "commit_authors"],
  grant: { uses: 1, ttl_minutes: 15 },
  stages: [
    {
      name: "Approval",
      stage_order: 1,
      mode: "any-n",
      mode_value: 1,
      on_empty: "block",
      assurance: "mfa",
      reject_assurance: "session",
      rules: [{ rule_type: "role", rule_value: { role: "admin", client: "countersign" } }],
    },
  ],
};
