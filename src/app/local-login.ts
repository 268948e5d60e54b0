/** The local directory: a login names one person, whatever its letter case (docs/spec/identity.md R-ID-2, R-LOCAL-1). */
import type { PersonId } from "../core/ids.ts";
import { foldName, type Instant } from "../core/person.ts";
import type { AliasRecord, IdentityRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { LOCAL_ISSUER } from "./identify.ts";

/** The subject of a login's identity. */
export function loginSubject(login: string): string {
  return foldName(login);
}

export interface LocalLogin {
  readonly personId: PersonId;
  readonly login: string;
  readonly orgId: string;
}

/** What makes a login its person's: the identity, and the name by which policies know them, proven by the sign-in. */
export function localLogin(
  tools: { readonly newId: () => string },
  now: Instant,
  { personId, login, orgId }: LocalLogin,
): { readonly identity: IdentityRecord; readonly alias: AliasRecord } {
  return {
    identity: {
      ...{ id: tools.newId(), issuer: LOCAL_ISSUER, subject: loginSubject(login), personId, providerId: null },
      ...{ createdAt: now, unlinkedAt: null },
    },
    alias: { orgId, name: login, folded: foldName(login), personId, proof: "verified" },
  };
}

/** Null when nobody signs in under this login. */
export async function personOfLogin(app: Application, login: string): Promise<PersonId | null> {
  const found = await app.reader.records(recordsBy("identity", "subject", [loginSubject(login)]));
  const local = found.find((identity) => identity.issuer === LOCAL_ISSUER && identity.unlinkedAt === null);
  return local?.personId ?? null;
}
