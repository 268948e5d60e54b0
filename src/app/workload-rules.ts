/**
 * Which workloads does a provider let in? Subjects are exact, or end in `*` behind a `:` or `/`, so that no name which merely begins
 * alike fits; presets demand the ids that a platform never gives twice. Implements docs/spec/identity.md R-WID-1 and R-WID-2.
 */
import type { JsonObject, JsonValue } from "../core/json.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { WorkloadProviderRecord } from "../ports/identity-records.ts";
import { claimHolds } from "./oidc-claims.ts";

export type WorkloadPreset = WorkloadProviderRecord["preset"];

/** Claim → the values of which one must be there. */
export type WorkloadClaims = Readonly<Record<string, readonly string[]>>;

interface Preset {
  /** The only issuers; null where every installation of the platform has its own. */
  readonly issuer: RegExp | null;
  /** Used when none is named. */
  readonly usualIssuer: string | null;
  /** Claims of which each must be bound: ids that stay when a name is given to somebody else. */
  readonly ids: readonly string[];
}

const PRESETS: Readonly<Record<WorkloadPreset, Preset>> = {
  github: {
    issuer: /^https:\/\/token\.actions\.githubusercontent\.com$/,
    usualIssuer: "https://token.actions.githubusercontent.com",
    ids: ["repository_id"],
  },
  gitlab: { issuer: null, usualIssuer: "https://gitlab.com", ids: ["project_id"] },
  circleci: {
    issuer: /^https:\/\/oidc\.circleci\.com\/org\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    usualIssuer: null,
    ids: ["oidc.circleci.com/project-id"],
  },
  kubernetes: { issuer: null, usualIssuer: null, ids: ["kubernetes.io.serviceaccount.uid"] },
  custom: { issuer: null, usualIssuer: null, ids: [] },
};

export interface WorkloadRules {
  readonly preset: WorkloadPreset;
  readonly issuer: string;
  readonly subjects: readonly string[];
  readonly claims: WorkloadClaims;
}

export function usualIssuer(preset: WorkloadPreset): string | null {
  return PRESETS[preset].usualIssuer;
}

/** Why these rules would let in more than somebody meant; null when they are sound. */
export function rulesFault({ preset, issuer, subjects, claims }: WorkloadRules): Refusal | null {
  const { issuer: issuers, ids } = PRESETS[preset];
  if (issuers !== null && !issuers.test(issuer)) {
    return faulty(["issuer"], `${issuer} is no issuer of this platform`);
  }
  if (subjects.length === 0) return faulty(["subjects"], "At least one subject must be named");
  const loose = subjects.findIndex((subject) => !isSoundSubject(subject));
  if (loose >= 0) {
    return faulty(["subjects", loose], "A subject is exact, or ends in `*` right behind a `:` or a `/`");
  }
  const unbound = ids.find((id) => (claims[id] ?? []).length === 0);
  if (unbound === undefined) return null;
  return faulty(["claims"], `'${unbound}' must be bound: names can be given to somebody else, this id cannot`);
}

function isSoundSubject(subject: string): boolean {
  const star = subject.indexOf("*");
  return star < 0 ? subject !== "" : star === subject.length - 1 && /.[:/]\*$/.test(subject);
}

/** Is this token's workload one of those that the provider lets in? */
export function letsIn(provider: WorkloadProviderRecord, claims: JsonObject): boolean {
  const subject = claims["sub"];
  if (typeof subject !== "string" || !provider.subjects.some((allowed) => fits(allowed, subject))) return false;
  return Object.entries(readWorkloadClaims(provider.claims)).every(([path, values]) =>
    values.some((value) => claimHolds(claims, path, value)),
  );
}

function fits(allowed: string, subject: string): boolean {
  return allowed.endsWith("*") ? subject.startsWith(allowed.slice(0, -1)) : subject === allowed;
}

export function readWorkloadClaims(kept: JsonObject): WorkloadClaims {
  return Object.fromEntries(
    Object.entries(kept).map(([claim, values]) => {
      const all: readonly JsonValue[] = Array.isArray(values) ? values : [values];
      return [claim, all.filter((value) => typeof value === "string")];
    }),
  );
}

function faulty(path: readonly (string | number)[], message: string): Refusal {
  return refuse("invalid_input", message, [{ path: ["body", ...path], message }]);
}
