/**
 * Which workloads does a provider let in? Subjects are exact, or end in `*` behind a `:` or `/`, so that no name which merely begins
 * alike fits; presets demand the ids that a platform never gives twice. Implements docs/spec/identity.md R-WID-1 and R-WID-2, and of
 * docs/spec/deploy.md R-OIDC-1 and R-OIDC-3 what they ask of providers.
 */
import type { JsonObject, JsonValue } from "../core/json.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { WorkloadProviderRecord } from "../ports/identity-records.ts";
import { claimTexts } from "./oidc-claims.ts";

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
  const wild = Object.entries(claims).find(([claim, values]) => !values.every((value) => isSoundClaim(claim, value)));
  if (wild !== undefined) {
    return faulty(["claims", wild[0]], "A claim is exact, or ends in `*` right behind a `:` or a `/`; an id is exact");
  }
  const unbound = ids.find((id) => (claims[id] ?? []).length === 0);
  if (unbound === undefined) return null;
  return faulty(["claims"], `'${unbound}' must be bound: names can be given to somebody else, this id cannot`);
}

function isSoundClaim(claim: string, value: string): boolean {
  return IDS.has(claim) ? !value.includes("*") : isSoundSubject(value);
}

/** Of every platform: repositories, projects, pipelines and accounts that keep their id whatever they are called. */
const IDS: ReadonlySet<string> = new Set([
  ...Object.values(PRESETS).flatMap(({ ids }) => ids),
  ...["repository_owner_id", "pipeline_id"],
]);

/** What deploys through this gate is known by such an id, whichever platform it runs on (deploy R-OIDC-1); null when it is. */
export function deployRulesFault({ preset, issuer, claims }: WorkloadRules): Refusal | null {
  const own = Object.entries(PRESETS).find(
    ([, { issuer: issuers, usualIssuer: usual }]) => issuers?.test(issuer) === true || usual === issuer,
  );
  if (own !== undefined && own[0] !== preset) return faulty(["preset"], `${issuer} is the issuer of ${own[0]}`);
  if ([...IDS].some((id) => id !== "repository_owner_id" && (claims[id] ?? []).length > 0)) return null;
  return faulty(["claims"], "An id of the repository or project must be bound: names can be given to somebody else");
}

function isSoundSubject(subject: string): boolean {
  const star = subject.indexOf("*");
  return star < 0 ? subject !== "" : star === subject.length - 1 && /.[:/]\*$/.test(subject);
}

export interface WorkloadCondition {
  /** `sub`, or the path of the claim. */
  readonly claim: string;
  /** Of which one must be there. */
  readonly allowed: readonly string[];
  /** What is there. */
  readonly found: readonly string[];
  readonly holds: boolean;
}

/** Is this token's workload one of those that the provider lets in? */
export function letsIn(provider: WorkloadProviderRecord, claims: JsonObject): boolean {
  return workloadConditions(provider, claims).every(({ holds }) => holds);
}

/** Each condition that the provider makes of a token's subject and claims; all of them must hold. */
function workloadConditions(
  provider: Pick<WorkloadProviderRecord, "preset" | "subjects" | "claims">,
  claims: JsonObject,
): readonly WorkloadCondition[] {
  const subject = claims["sub"];
  const isSubject = typeof subject === "string" && provider.subjects.some((allowed) => fits(allowed, subject));
  const bound = Object.entries(readWorkloadClaims(provider.claims)).map(([claim, allowed]) => ({
    ...{ claim, allowed, found: claimTexts(claims, claim) },
    holds: allowed.some((value) => claimTexts(claims, claim).some((text) => claimFits(claim, value, text))),
  }));
  // Somebody is inside a job that was started anew over SSH: what it asks for is theirs, not the pipeline's (deploy R-OIDC-3).
  const rerun = provider.preset === "circleci" ? [unattended(claims)] : [];
  const own = { claim: "sub", allowed: provider.subjects, found: claimTexts(claims, "sub"), holds: isSubject };
  return [own, ...bound, ...rerun];
}

/** All that a token's content must be for this provider, as it is judged when one is presented. */
export function providerConditions(provider: WorkloadProviderRecord, claims: JsonObject): readonly WorkloadCondition[] {
  const { issuer, audience, enabled } = provider;
  const found = (claim: string): readonly string[] => claimTexts(claims, claim);
  return [
    { claim: "provider", allowed: ["enabled"], found: [enabled ? "enabled" : "switched off"], holds: enabled },
    { claim: "iss", allowed: [issuer], found: found("iss"), holds: claims["iss"] === issuer },
    { claim: "aud", allowed: [audience], found: found("aud"), holds: isMeantFor(provider, claims) },
    ...workloadConditions(provider, claims),
  ];
}

const SSH_RERUN = "oidc.circleci.com/ssh-rerun";

function unattended(claims: JsonObject): WorkloadCondition {
  const found = claimTexts(claims, SSH_RERUN);
  return { claim: SSH_RERUN, allowed: ["false"], found, holds: claims[SSH_RERUN] === false };
}

/** A token says whom it was made for; one for somebody else opens nothing here. */
export function isMeantFor({ audience }: Pick<WorkloadProviderRecord, "audience">, claims: JsonObject): boolean {
  const audiences: readonly unknown[] = Array.isArray(claims["aud"]) ? claims["aud"] : [claims["aud"]];
  return audiences.includes(audience);
}

/** A star that no provider could be given today stands for itself. */
function claimFits(claim: string, allowed: string, text: string): boolean {
  return isSoundClaim(claim, allowed) ? fits(allowed, text) : allowed === text;
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
