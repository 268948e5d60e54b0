/**
 * From a policy document to the value the engine works with (docs/spec/policies.md R-DOC-6).
 * Active policies always compile, because activation let them through; drafts may not, and then say why.
 */
import type { JsonObject } from "./json.ts";
import type { Policy, PolicyProblem } from "./policy.ts";
import { readPolicy } from "./policy-document.ts";
import { Bug } from "./refusal.ts";

export type CompiledPolicy =
  { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

/** For any document, also a draft: it compiles unless something in it cannot be read or cannot be honoured. */
export function tryCompilePolicy(document: JsonObject): CompiledPolicy {
  const { policy, problems } = readPolicy(document);
  return problems.length === 0 ? { ok: true, policy } : { ok: false, problems };
}

/** For documents that `checkPolicy` found no error in. */
export function compilePolicy(document: JsonObject): Policy {
  const compiled = tryCompilePolicy(document);
  if (compiled.ok) return compiled.policy;
  const found = compiled.problems.map(({ code, path }) => `${code} at ${path}`);
  throw new Bug(`a policy that was activated does not compile: ${found.join(", ")}`);
}
