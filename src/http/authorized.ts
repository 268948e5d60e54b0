/**
 * The only maker of `Authorized`: what a handler gets once the table let the call through (R-AUTHZ-3). The answers come in
 * the order of R-AUTHZ-2: credential, kind of credential, permission.
 */
import type { Actor } from "../core/person.ts";
import type { Viewer } from "../ports/reader.ts";
import type { CredentialKind, Row } from "./authorization.ts";
import { problem, type Problem } from "./problem.ts";

/** A caller whose credential has been proved. */
export interface Caller {
  readonly kind: CredentialKind;
  readonly actor: Actor;
  /** When the credential ends, in epoch milliseconds; null when it does not say. */
  readonly expiresAt: number | null;
  /** What the browser sent as session, for ending it. */
  readonly sessionToken: string | null;
}

class Admission {
  /** Private, so that no other value has this type. */
  readonly #row: Row;
  readonly actor: Actor;
  readonly viewer: Viewer;
  readonly expiresAt: number | null;
  readonly sessionToken: string | null;

  constructor(row: Row, caller: Caller, viewer: Viewer) {
    this.#row = row;
    this.actor = caller.actor;
    this.viewer = viewer;
    this.expiresAt = caller.expiresAt;
    this.sessionToken = caller.sessionToken;
  }

  get row(): Row {
    return this.#row;
  }
}

export type Authorized = Admission;

/** Callers of public routes: nobody, who may do nothing. */
const NOBODY: Caller = {
  kind: "machine",
  actor: {
    person: null,
    assignee: "",
    displayName: "",
    issuer: "",
    subject: "",
    clientId: null,
    email: null,
    credential: null,
    machine: true,
    admin: false,
    viewer: false,
  },
  expiresAt: null,
  sessionToken: null,
};

/** True where the table asks for no credential at all. */
export function isOpenRow(row: Row): boolean {
  return row.access === "public" || row.access === "development";
}

export function admitAnybody(row: Row): Authorized | Problem {
  if (!isOpenRow(row)) return problem("unauthenticated", "Missing bearer token");
  return new Admission(row, NOBODY, viewerOf(NOBODY.actor, "participants"));
}

export function admit(row: Row, caller: Caller, readScope: "participants" | "authenticated"): Authorized | Problem {
  if (!row.credentials.includes(caller.kind)) return wrongKind(row, caller.kind);
  const { actor } = caller;
  if (row.access === "admin" && !actor.admin) return problem("forbidden", "Role `AWE_ADMIN` required");
  if (row.access === "viewer" && !actor.viewer && !actor.admin) {
    return problem("forbidden", "One of ['AWE_ADMIN', 'AWE_VIEWER'] required");
  }
  return new Admission(row, caller, viewerOf(actor, readScope));
}

function wrongKind(row: Row, kind: CredentialKind): Problem {
  if (kind === "machine" && row.access === "holder") return problem("machine", "Machine credentials cannot decide");
  return problem("credential_kind_not_allowed", `This route takes: ${row.credentials.join(", ")}`);
}

/** R-AUTH-31 widens reading, never writing (R-AUTH-32). */
function viewerOf(actor: Actor, readScope: "participants" | "authenticated"): Viewer {
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
