/**
 * The only maker of `Authorized`: what a handler gets once the table let the call through (R-AUTHZ-3). The answers come in
 * the order of R-AUTHZ-2: credential, kind of credential, permission, enrolment, assurance.
 */
import { admitted, type Actor } from "../app/admitted-actor.ts";
import type { Application } from "../app/application.ts";
import type { Proof, ProvenFactor } from "../app/proof.ts";
import type { SingleUse } from "../app/workload-caller.ts";
import type { WorkloadIdentity } from "../app/workload-identity.ts";
import type { Actor as KnownActor } from "../core/person.ts";
import { permits, type Permission } from "../core/permission.ts";
import { mayWrite, rolesHolding } from "../core/roles.ts";
import type { SessionRecord } from "../ports/identity-records.ts";
import type { Viewer } from "../ports/reader.ts";
import type { Assurance, CredentialKind, Row } from "./authorization.ts";
import { MACHINE_ISSUER } from "../app/ledger-names.ts";
import { problem, type Problem } from "./problem.ts";

/** Where a call comes from. */
export interface CallerClient {
  readonly address: string;
  readonly userAgent: string | null;
}

/** A caller whose credential has been proved. */
export interface Caller {
  readonly kind: CredentialKind;
  readonly actor: KnownActor;
  readonly roles: readonly string[];
  /** The application of the organization that the credential is used in. */
  readonly app: Application;
  /** When the credential ends, in epoch milliseconds; null when it does not say. */
  readonly expiresAt: number | null;
  /** When the person signed in at the issuer of this token, in epoch milliseconds; null when it does not say. */
  readonly signedInAt?: number | null;
  /** Of browsers and terminals; null for tokens. */
  readonly session: SessionRecord | null;
  /** The secret of the session, for ending and renewing it. */
  readonly sessionToken: string | null;
  /** Has a factor that can be asked for. */
  readonly enrolled: boolean;
  /** What a token may be used for besides its scopes (R-TOK-7); null where nothing narrows it. */
  readonly limits: CallerLimits | null;
  /** A credential that makes one request and no second (R-WID-3). */
  readonly singleUse?: SingleUse;
  /** Which job of which pipeline it is, whatever it came with (deploy R-OIDC-1). */
  readonly workload?: WorkloadIdentity;
}

export interface CallerLimits {
  readonly apps: readonly string[] | null;
  readonly racks: readonly string[] | null;
  readonly trustProfiles: readonly string[] | null;
  readonly policyKeys: readonly string[] | null;
}

class Admission {
  /** Private, so that no other value has this type. */
  readonly #row: Row;
  readonly #caller: Caller;
  readonly #actor: Actor;
  readonly viewer: Viewer;
  readonly client: CallerClient;
  /** The proof as it was sent, for routes whose assurance is the decision's own. */
  readonly sentProof: Proof | null;
  /** The factor that was proven in this very call. */
  readonly proof: ProvenFactor | null;

  constructor(row: Row, caller: Caller, about: { viewer: Viewer } & Circumstances) {
    this.#row = row;
    this.#caller = caller;
    this.#actor = admitted(caller.actor);
    this.viewer = about.viewer;
    this.client = about.client;
    this.sentProof = about.sentProof;
    this.proof = about.proof;
  }

  get row(): Row {
    return this.#row;
  }
  get kind(): CredentialKind {
    return this.#caller.kind;
  }
  get actor(): Actor {
    return this.#actor;
  }
  get permissions(): readonly Permission[] {
    return this.#caller.actor.permissions;
  }
  get roles(): readonly string[] {
    return this.#caller.roles;
  }
  get app(): Application {
    return this.#caller.app;
  }
  get orgId(): string {
    return this.#caller.app.orgId;
  }
  get expiresAt(): number | null {
    return this.#caller.expiresAt;
  }
  get session(): SessionRecord | null {
    return this.#caller.session;
  }
  get sessionToken(): string | null {
    return this.#caller.sessionToken;
  }
  get enrolled(): boolean {
    return this.#caller.enrolled;
  }
  get singleUse(): SingleUse | null {
    return this.#caller.singleUse ?? null;
  }
  get workload(): WorkloadIdentity | null {
    return this.#caller.workload ?? null;
  }
  get limits(): CallerLimits | null {
    return this.#caller.limits;
  }
}

export type Authorized = Admission;

export interface Circumstances {
  readonly client: CallerClient;
  readonly sentProof: Proof | null;
  readonly proof: ProvenFactor | null;
}

/** Callers of public routes: nobody, who may do nothing. */
function nobody(app: Application): Caller {
  const actor: KnownActor = {
    ...{ person: null, assignee: "", displayName: "", issuer: "", subject: "", clientId: null, email: null },
    ...{ credential: null, machine: true, standsFor: [], permissions: [], admin: false, viewer: false },
  };
  return {
    ...{ kind: "machine_jwt", actor, roles: [], app, expiresAt: null, session: null, sessionToken: null },
    ...{ enrolled: false, limits: null },
  };
}

/** True where the table asks for no credential at all. */
export function isOpenRow(row: Row): boolean {
  return row.access === "public" || row.access === "development";
}

export function admitAnybody(row: Row, app: Application, client: CallerClient): Authorized | Problem {
  if (!isOpenRow(row)) return problem("unauthenticated", "Missing bearer token");
  const caller = nobody(app);
  return new Admission(row, caller, { viewer: viewerOf(caller, "participants"), client, sentProof: null, proof: null });
}

/** Everything that does not need the body: kind, permission, enrolment. Null when the caller may go on. */
export function admissionFault(row: Row, caller: Caller): Problem | null {
  const kind = kindOf(caller);
  if (!row.credentials.includes(kind)) return wrongKind(row, kind);
  if (caller.session?.kind === "enrolment" && !row.enrolment) return enrolFirst();
  if (row.permission !== null && !permits(caller.actor.permissions, row.permission)) {
    return notPermitted(row, row.permission);
  }
  if (
    row.permission === null &&
    row.scope !== null &&
    isOwnMachine(caller) &&
    !permits(caller.actor.permissions, row.scope)
  ) {
    return problem("permission_denied", `Permission '${row.scope}' required`);
  }
  return signInFault(row, caller);
}

/** What is missing of the sign-in itself, before anything is asked for the act. */
function signInFault(row: Row, caller: Caller): Problem | null {
  if (mustEnrol(row, caller)) return enrolFirst();
  return lacksSecondFactor(row, caller) ? assuranceProblem("step_up") : null;
}

/**
 * A provider that is not marked for it has proven one factor: one of ours is asked for before the session serves for more than
 * proving, enrolling and looking at oneself (identity R-IDP-9). What asks for a factor in the call itself is proven by it.
 */
function lacksSecondFactor(row: Row, caller: Caller): boolean {
  const { session, enrolled } = caller;
  if (session?.method !== "oidc" || session.kind !== "web" || session.aal > 1) return false;
  return enrolled && !row.enrolment && askedOf(row, caller) !== "fresh";
}

/** A machine of this installation is one whatever it presents: its token, or that of the platform it runs on. */
function isOwnMachine({ actor }: Caller): boolean {
  return actor.issuer === MACHINE_ISSUER;
}

function kindOf(caller: Caller): CredentialKind {
  return isOwnMachine(caller) ? "api_token" : caller.kind;
}

/** Which proof the row asks of this caller now; null when nothing is missing. */
export function missingAssurance(row: Row, caller: Caller, now: number): "step_up" | "fresh" | null {
  const asked = askedOf(row, caller);
  if (!provesFactors(caller)) return missingOfToken(asked, caller, now);
  if (asked === "fresh" || (asked === "enrolment" && mustProveToEnrol(caller))) return "fresh";
  if (asked !== "step_up") return null;
  const provenAt = caller.session?.factorAt ?? null;
  const open = provenAt !== null && now - provenAt < caller.app.identity.stepUpWindowSeconds * 1_000;
  return open ? null : "step_up";
}

/** How far the clocks of an issuer and this server may differ, in milliseconds. */
const CLOCK_TOLERANCE = 30_000;

/**
 * R-STEP-7: a forwarded token carries no factor of ours. Where the installation asks for one nevertheless, a recent sign-in at
 * its issuer stands for it; without that the act is proven with a factor in the call.
 */
function missingOfToken(asked: Assurance, caller: Caller, now: number): "step_up" | "fresh" | null {
  const { kind, app, signedInAt = null } = caller;
  if (kind !== "person_jwt" || !app.identity.stepUpForJwt) return null;
  if (asked !== "step_up" && asked !== "fresh") return null;
  if (signedInAt === null || signedInAt > now + CLOCK_TOLERANCE) return asked;
  return now - signedInAt < app.identity.stepUpWindowSeconds * 1_000 ? null : asked;
}

/** Who came by a one-time link has shown that instead: their factors may be what they lost (R-FACT-8). */
function mustProveToEnrol({ enrolled, session }: Caller): boolean {
  return enrolled && !(session?.kind === "enrolment" && session.method === "link");
}

/** What the row asks of this caller: more of those who may act on what is others'. */
export function askedOf({ assurance, others }: Row, { actor }: Caller): Assurance {
  return others !== null && permits(actor.permissions, others.permission) ? others.assurance : assurance;
}

const ASSURANCE_WORDS: Readonly<Record<"step_up" | "fresh", string>> = { step_up: "step-up", fresh: "always" };

/** R-STEP-6: what is missing, in words and in a header. */
export function assuranceProblem(missing: "step_up" | "fresh"): Problem {
  const headers = { "X-MFA-Required": ASSURANCE_WORDS[missing] };
  return missing === "fresh"
    ? problem("mfa_required", "This act needs a factor with the call itself: a passkey, a code or a backup code", {
        headers,
      })
    : problem("mfa_step_up_required", "This act needs a factor proven within the last minutes", { headers });
}

export function authorized(
  row: Row,
  caller: Caller,
  about: Circumstances & { readonly readScope: "participants" | "authenticated" },
): Authorized {
  return new Admission(row, caller, { ...about, viewer: viewerOf(caller, about.readScope) });
}

/**
 * Whose factors are ours to ask for: those who signed in at this server. A token of another issuer carries none (R-STEP-7),
 * a machine has none, and in development mode nobody is who they say.
 */
export function provesFactors({ kind, session }: Pick<Caller, "kind" | "session">): boolean {
  return (kind === "web_session" || kind === "cli_session") && session?.method !== "development";
}

/** R-FACT-10: who may change something, or is about to decide, has a factor; until then they enrol and look at themselves. */
function mustEnrol(row: Row, caller: Caller): boolean {
  if (!provesFactors(caller) || caller.enrolled || row.enrolment) return false;
  if (caller.app.identity.requireMfaAll || mayWrite(caller.actor.permissions)) return true;
  return row.assurance === "decision" || asksForFactor(row.assurance);
}

function asksForFactor(assurance: Assurance): boolean {
  return assurance === "step_up" || assurance === "fresh";
}

function enrolFirst(): Problem {
  const headers = { "X-MFA-Required": "enrollment" };
  return problem("mfa_enrollment_required", "Enrol a passkey or an authenticator first", { headers });
}

function notPermitted(row: Row, permission: Permission): Problem {
  if (row.mount !== "both") return problem("permission_denied", `Permission '${permission}' required`, { permission });
  const roles = rolesHolding(permission);
  if (roles.includes("AWE_VIEWER")) return problem("forbidden", "One of ['AWE_ADMIN', 'AWE_VIEWER'] required");
  if (roles.includes("AWE_ADMIN")) return problem("forbidden", "Role `AWE_ADMIN` required");
  return problem("forbidden", `Permission '${permission}' required`);
}

function wrongKind(row: Row, kind: CredentialKind): Problem {
  const isMachine = kind === "api_token" || kind === "machine_jwt";
  if (isMachine && row.access === "holder") return problem("machine", "Machine credentials cannot decide");
  if (isMachine && row.mount === "deploy") return problem("credential_kind_not_allowed", "API tokens cannot do this");
  return problem("credential_kind_not_allowed", `This route takes: ${row.credentials.join(", ")}`);
}

/** R-AUTH-31 widens reading, never writing (R-AUTH-32). */
function viewerOf({ actor }: Caller, readScope: "participants" | "authenticated"): Viewer {
  return {
    personId: actor.person?.id ?? null,
    assignee: actor.assignee,
    issuer: actor.issuer,
    subject: actor.subject,
    clientId: actor.clientId,
    machine: actor.machine,
    readsAll: actor.viewer || actor.admin || readScope === "authenticated",
  };
}
