/** Tokens of the deploy gate have names of their own, each once in an organization (docs/spec/deploy.md R-TOKEN-1). */
import type { World } from "../../ports/command-store.ts";
import type { ApiTokenRecord } from "../../ports/identity-records.ts";
import type { Application } from "../application.ts";

/** A token that somebody made, and that may still be used or may be used again. */
export function isKept({ revokedAt, exchanged }: ApiTokenRecord): boolean {
  return revokedAt === null && exchanged === null;
}

/** Is the name another token's? The world must hold the tokens of this name. */
export function isNameTaken(app: Application, world: World, { name, except }: NameUse): boolean {
  return world
    .records("apiToken", "name", name)
    .some((token) => token.orgId === app.orgId && token.id !== except && isKept(token));
}

export interface NameUse {
  readonly name: string;
  /** The token that asks. */
  readonly except: string | null;
}
