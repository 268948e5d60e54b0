/**
 * Are the passkeys that people hold bound to the name under which this installation is reached? One that is bound to another
 * can never be used again, so a change of name is nobody's accident (docs/spec/identity.md R-FACT-3).
 */
import type { Pool } from "pg";
import { sql } from "../adapters/postgres/named-sql.ts";
import { StartRefused } from "./start-refused.ts";

const NAMED_MAX = 20;

interface StrandedRow {
  readonly assignee: string;
  readonly rp_id: string;
}

const STRANDED = sql<StrandedRow>(
  "stranded_passkeys",
  `select distinct person.assignee, factor.rp_id from factors factor join people person on person.id = factor.person_id
   where factor.type = 'passkey' and factor.removed_at is null and factor.rp_id <> $1 order by person.assignee limit $2`,
);

/** Throws StartRefused and names the people, unless the change is meant. */
export async function assertPasskeySite(
  pool: Pool,
  rpId: string,
  { accepted, say }: { readonly accepted: boolean; readonly say: (line: string) => void },
): Promise<void> {
  const { rows } = await STRANDED.run(pool, [rpId, NAMED_MAX + 1]);
  const [first] = rows;
  if (first === undefined) return;
  const more = rows.length > NAMED_MAX ? " and others" : "";
  const names = `${rows
    .slice(0, NAMED_MAX)
    .map((row) => row.assignee)
    .join(", ")}${more}`;
  const sentence = `These people hold passkeys of ${first.rp_id}, which do not work under ${rpId}: ${names}.`;
  if (accepted) say(`Warning: ${sentence}`);
  else {
    throw new StartRefused(
      "rp_id_changed",
      `${sentence} Set COUNTERSIGN_PUBLIC_URL to the old name, or start once with --accept-rp-id-change and give them recovery links.`,
    );
  }
}
