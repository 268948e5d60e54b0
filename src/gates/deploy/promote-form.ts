/** What may a promote under approval ask of the rack? Implements the form of docs/spec/deploy.md R-BIND-10. */
import { buildOption, promoteForm } from "./call-refusals.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";
import { readForm, type FormRules } from "./rack-form.ts";
import { encodeForm } from "./url-encoded-form.ts";

/** The body for the rack, written anew from what was checked. */
export function approvedPromoteForm(contentType: string | null, body: string): string | DeployRefusal {
  const form = readForm(contentType, body, RULES);
  if ("fault" in form) return promoteForm(form.fault);
  if (form.flag("development") === true) return buildOption("development");
  return encodeForm(
    Object.keys(RULES).flatMap((key) => {
      const value = form.text(key);
      return value === null ? [] : [[key, value] as const];
    }),
  );
}

const RULES: FormRules = {
  development: "flag",
  force: "flag",
  idle: "flag",
  min: "count",
  max: "count",
  timeout: "count",
};
