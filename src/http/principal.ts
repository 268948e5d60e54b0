/** Whom a token's claims name. Implements docs/spec/api.md R-AUTH-2, R-AUTH-6, R-AUTH-9, R-AUTH-20 and R-AUTH-23. */
import type { Principal } from "../app/identify.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import { isMachineName } from "../core/person.ts";
import { textFault } from "../contract/policy-json.ts";
import type { AccessSettings } from "./server-options.ts";
import type { VerifiedToken } from "./token-verification/token-verifier.ts";

export interface PrincipalFault {
  readonly code: "token_invalid" | "no_assignee";
  readonly message: string;
}

const NO_SUBJECT: PrincipalFault = { code: "token_invalid", message: "Token missing `sub` claim" };
const NO_ASSIGNEE: PrincipalFault = {
  code: "no_assignee",
  message: "Token missing assignee claim (`preferred_username`, `username`, or `sub`)",
};

/** Names are shown, stored and compared; nothing longer is a name. */
const nameLengthMax = 255;

export function principalOf(token: VerifiedToken, settings: AccessSettings): Principal | PrincipalFault {
  const { claims, issuer } = token;
  const subject = claims["sub"];
  if (typeof subject !== "string" || subject === "") return NO_SUBJECT;
  const assignee = assigneeOf(claims);
  if (assignee === null) return NO_ASSIGNEE;
  const clientId = nameOf(claims["azp"]) ?? nameOf(claims["client_id"]);
  const unfit = [subject, assignee, clientId ?? ""].some((name) => !isStorableName(name));
  if (unfit)
    return { code: "token_invalid", message: "Invalid bearer token: it holds a name that cannot be used here" };
  return {
    issuer,
    subject,
    assignee,
    name: storable(nameOf(claims["name"])),
    email: storable(nameOf(claims["email"])),
    clientId,
    machine: isMachine(claims, settings),
    roles: rolesOf(claims, settings.roleClients),
  };
}

export function isPrincipalFault(value: Principal | PrincipalFault): value is PrincipalFault {
  return "code" in value;
}

function assigneeOf(claims: JsonObject): string | null {
  return nameOf(claims["preferred_username"]) ?? nameOf(claims["username"]) ?? nameOf(claims["sub"]);
}

/** The first thing that is text and not blank, trimmed. */
function nameOf(claim: JsonValue | undefined): string | null {
  if (typeof claim !== "string") return null;
  const name = claim.trim();
  return name === "" ? null : name;
}

function isStorableName(name: string): boolean {
  return name.length <= nameLengthMax && textFault(name) === null;
}

/** A display name or address that cannot be kept is left out: nothing depends on it. */
function storable(name: string | null): string | null {
  return name !== null && isStorableName(name) ? name : null;
}

function isMachine(claims: JsonObject, settings: AccessSettings): boolean {
  const names = [claims["preferred_username"], claims["username"], claims["sub"]];
  if (names.some((name) => isMachineName(nameOf(name) ?? ""))) return true;
  if (claims["gty"] === "client-credentials" || claims["idtyp"] === "app") return true;
  if (claims["sub"] === claims["client_id"] || claims["sub"] === claims["azp"]) return true;
  return Object.entries(settings.machineClaims).some(([claim, values]) =>
    values.some((value) => value === claims[claim]),
  );
}

/** What an issuer may give. It has roles of its own called `admin` or `viewer`, which mean nothing here. */
const OF_TOKENS: ReadonlySet<string> = new Set(["AWE_ADMIN", "AWE_VIEWER"]);

function rolesOf(claims: JsonObject, clients: readonly string[]): readonly string[] {
  const access = claims["resource_access"];
  const ofClients = isJsonObject(access) ? clients.map((client) => access[client]) : [];
  const named = [claims["realm_access"], ...ofClients].flatMap(rolesIn);
  return [...new Set(named)].filter((role) => OF_TOKENS.has(role));
}

function rolesIn(claim: JsonValue | undefined): readonly string[] {
  if (!isJsonObject(claim)) return [];
  const roles = claim["roles"];
  return Array.isArray(roles) ? roles.filter((role) => typeof role === "string") : [];
}
