import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";

import { Refusal } from "../../api/call.ts";
import type { Policy } from "../../api/policies.ts";
import { addPolicyVersion, createPolicy } from "../../api/policies.ts";
import type { JsonObject } from "../../api/read.ts";
import { isJsonObject } from "../../api/read.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { RefusalText } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import styles from "./policy-version-page.module.css";

const example = JSON.stringify(
  {
    policy_key: "payout.v1",
    name: "Payout",
    artifact_type: "payout.batch",
    forbid_self_approval: true,
    stages: [
      {
        name: "Officer",
        stage_order: 1,
        mode: "any-n",
        mode_value: 1,
        sla_hours: 8,
        rules: [{ rule_type: "user", rule_value: { user_id: "ana" } }],
      },
    ],
  },
  null,
  2,
);

/** A draft from pasted JSON. Nothing becomes active here; the server's findings are shown at their paths. */
export function NewPolicyPage(): ReactNode {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const create = useMutation({
    mutationFn: createOrAddVersion,
    onSuccess: async (policy) => {
      await client.invalidateQueries({ queryKey: ["policies"] });
      await navigate({
        to: "/policies/$key/$version",
        params: { key: policy.policy_key, version: String(policy.version) },
      });
    },
  });
  const submit = (): void => {
    const parsed = parsePolicy(text);
    setFault(typeof parsed === "string" ? parsed : null);
    if (typeof parsed !== "string") create.mutate(parsed);
  };
  return (
    <>
      <PageHead title="New policy" back={{ to: "/policies", word: "Policies" }} />
      <form
        className={styles.sheet}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <h1 className={styles.title}>New policy</h1>
        <p className={styles.description}>
          Paste a policy as JSON. It is kept as a draft: a new policy, or a new version if its key exists. Requests are
          not affected until somebody activates it.
        </p>
        <div className={controls.field}>
          <label className={controls.label} htmlFor="policy-json">
            Policy
          </label>
          <textarea
            id="policy-json"
            rows={20}
            spellCheck={false}
            className={classNames(controls.input, controls.code)}
            placeholder={example}
            value={text}
            aria-invalid={fault !== null}
            aria-describedby={fault === null ? undefined : "policy-fault"}
            onChange={(event) => {
              setText(event.target.value);
            }}
          />
          {fault !== null && (
            <p id="policy-fault" className={controls.fault} role="alert">
              {fault}
            </p>
          )}
        </div>
        {create.error !== null && (
          <div className={styles.refused} role="alert">
            <RefusalText failure={create.error} />
          </div>
        )}
        <div className={styles.formButtons}>
          <button type="submit" className={classNames(controls.button, controls.primary)} disabled={create.isPending}>
            Save draft
          </button>
          {text === "" && (
            <button
              type="button"
              className={controls.button}
              onClick={() => {
                setText(example);
              }}
            >
              Start from an example
            </button>
          )}
        </div>
      </form>
    </>
  );
}

/** The policy, or the sentence that says why the text is none. */
function parsePolicy(text: string): JsonObject | string {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : "A policy is a JSON object.";
  } catch (failure) {
    return `This is not JSON: ${failure instanceof Error ? failure.message : "it cannot be parsed"}`;
  }
}

async function createOrAddVersion(policy: JsonObject): Promise<Policy> {
  try {
    return await createPolicy(policy);
  } catch (failure) {
    const key = policy["policy_key"];
    const exists = failure instanceof Refusal && failure.code === "policy_exists";
    if (!exists || typeof key !== "string") throw failure;
    return addPolicyVersion(key, policy);
  }
}
