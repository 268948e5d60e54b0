/** The reading of the numbers that older clients know people and tokens by, one statement each (docs/spec/deploy.md 11.3). */
import type { NumberedKind, NumberReader } from "../../ports/number-reader.ts";
import { sql } from "./named-sql.ts";
import { read } from "./reader-statement.ts";
import type { Sources } from "./reading-wall.ts";

interface NumberRow {
  readonly id: string;
  readonly number: number;
}

/** Whoever has the id knows who it is: people of this organization may come from another one. */
const NUMBERS = {
  person: sql<NumberRow & Record<string, unknown>>(
    "reader_person_numbers",
    "select id, number from people where id = any($1::uuid[])",
  ),
  token: sql<NumberRow & Record<string, unknown>>(
    "reader_token_numbers",
    "select id, number from api_tokens where id = any($1::uuid[])",
  ),
} as const satisfies Readonly<Record<NumberedKind, unknown>>;

const TOKEN_NUMBERED = sql<{ id: string }>(
  "reader_token_numbered",
  "select id from api_tokens where org_id = $1::uuid and number = $2::bigint",
);

export function createNumberReader({ own, installation }: Sources, orgId: string): NumberReader {
  return {
    async numbersOf(kind, ids) {
      if (ids.length === 0) return new Map();
      const rows = await read(NUMBERS[kind], installation, [[...new Set(ids)]]);
      return new Map(rows.map(({ id, number }) => [id, number]));
    },
    async tokenNumbered(number) {
      const [row] = await read(TOKEN_NUMBERED, own, [orgId, number]);
      return row?.id;
    },
  };
}
