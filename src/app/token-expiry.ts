/** Tokens whose time is nearly over, and those whose time is over. Implements docs/spec/identity.md R-TOK-3. */
import type { Instant } from "../core/person.ts";
import type { StoreCommand } from "../ports/command-store.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { NO_CHANGE } from "./no-change.ts";
import { tokenEntry } from "./token-change.ts";

const DAY = 24 * 3_600_000;
/** From the first warning on (token-warnings.ts). */
const SOON_MS = 14 * DAY;
const PAGE = 500;

export function expiresSoon(expiresAt: Instant | null, now: Instant): boolean {
  return expiresAt !== null && expiresAt > now && expiresAt - now <= SOON_MS;
}

/** Tells the ledger of tokens that have ended by their time, each once; says how many. */
export async function expireTokens(app: Application): Promise<number> {
  const due = await app.reader.expiredTokens(app.clock(), PAGE);
  const organizations = [...new Set(due.map(({ orgId }) => orgId))];
  for (const orgId of organizations) {
    const ids = due.filter((token) => token.orgId === orgId).map(({ id }) => id);
    const own = app.forOrganization(orgId);
    const tokens = await app.reader.records(recordsBy("apiToken", "id", ids));
    await own.store.submit(expire(own, ids, [...new Set(tokens.map(({ machineId }) => machineId))]));
  }
  return due.length;
}

function expire(app: Application, ids: readonly string[], machineIds: readonly string[]): StoreCommand<null> {
  return {
    name: "expire_tokens",
    needs: {
      records: [
        recordsBy("apiToken", "id", ids),
        recordsBy("tokenSecret", "tokenId", ids),
        recordsBy("machine", "id", machineIds),
      ],
    },
    carryOut(world) {
      const ended = ids.flatMap((id) => {
        const [token] = world.records("apiToken", "id", id);
        const [machine] = token === undefined ? [] : world.records("machine", "id", token.machineId);
        if (token === undefined || machine === undefined) return [];
        const { expiresAt } = token;
        const isOver = token.revokedAt === null && expiresAt !== null && expiresAt <= world.now;
        // Another process may have told of it meanwhile: then no secret is without an end.
        const secrets = world.records("tokenSecret", "tokenId", id).filter(({ endsAt }) => endsAt === null);
        if (!isOver || secrets.length === 0) return [];
        const entry = tokenEntry(app, { kind: "token.expired", actor: null, token, machine });
        return [{ entry, secrets: secrets.map((secret) => ({ ...secret, endsAt: expiresAt })) }];
      });
      if (ended.length === 0) return { answer: null, changes: NO_CHANGE };
      const tokenSecret = ended.flatMap(({ secrets }) => secrets);
      return { answer: null, changes: { entries: ended.map(({ entry }) => entry), records: { tokenSecret } } };
    },
  };
}
