/** One row of the authorization table: a route, what it needs, with what kind of credential, how strongly proven (identity R-AUTHZ-1). */
import type { Permission } from "../core/permission.ts";

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";

/**
 * Who may call: `public` everybody, `development` everybody but only in development mode, `any` every valid credential,
 * `reader` whoever may read the thing (engine R-AUTH-30; the read side decides and answers 404), `holder` and `own` whoever
 * it concerns (the use case decides), `permission` whoever holds the row's permission.
 */
export type Access = "public" | "development" | "any" | "reader" | "holder" | "own" | "permission";

export type CredentialKind = "web_session" | "cli_session" | "person_jwt" | "api_token" | "machine_jwt";

/**
 * How strongly the caller must have proven who they are: `step_up` = a factor within the last minutes of this session,
 * `fresh` = a factor inside this very call, `decision` = what the stage of the policy asks (docs/spec/identity.md section 6),
 * `enrolment` = `fresh` for whoever has a factor already (R-FACT-8).
 */
export type Assurance = "none" | "session" | "step_up" | "fresh" | "decision" | "enrolment";

/**
 * Where a route stands: once at the root, in the API of both families, in `/v1` alone, or in the deploy gate's API, of the
 * default rack and of each rack by name (docs/spec/deploy.md section 2).
 */
export type Mount = "root" | "both" | "v1" | "deploy";

export interface Row {
  readonly method: Method;
  /** Relative to the mount, in Fastify's form. */
  readonly url: string;
  readonly mount: Mount;
  readonly access: Access;
  /** Null where the access needs none. */
  readonly permission: Permission | null;
  /**
   * What a machine of this installation must hold where people need no permission: its token is good for what its scopes
   * say and for nothing else (R-TOK-4). Null where any may call.
   */
  readonly scope: Permission | null;
  readonly credentials: readonly CredentialKind[];
  readonly assurance: Assurance;
  /** Who holds this permission may act on what is others', and proves more for it than the owner does. */
  readonly others: { readonly permission: Permission; readonly assurance: "step_up" | "fresh" } | null;
  /** Serves those who have no factor yet: enrolling, looking at oneself, signing out (R-FACT-10). */
  readonly enrolment: boolean;
}
