/** What the deploy gate looks up besides its pages: tokens by name, Git identities, deployments, entries of one request. */
import type { JsonValue } from "../../core/json.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import type { DeployEntry, DeployPerson, DeployReader } from "../../ports/deploy-reader.ts";
import { recordsBy } from "../../ports/records.ts";
import { sql } from "./named-sql.ts";
import { asked, read } from "./reader-statement.ts";
import type { Asked, Sources } from "./reading-wall.ts";
import { selectRecords } from "./record-statements.ts";
import { recordedName } from "./recorded-entries.ts";

type DeployLookups = Omit<DeployReader, "deployApproval" | "deployApprovals" | "deployVersion">;

export function createDeployLookups({ own, installation }: Sources, orgId: string): DeployLookups {
  return {
    deployApprovalOfTask: (id) => approvalOfTask(own, id),
    async tokensNamed(nameOrNumber) {
      const number = /^[1-9][0-9]{0,17}$/.test(nameOrNumber) ? nameOrNumber : null;
      return (await read(TOKENS_NAMED, own, [orgId, nameOrNumber, number])).map(({ id }) => id);
    },
    async openDeployApprovals(machineId) {
      const [row] = await read(OPEN, own, [orgId, machineId]);
      return row?.count ?? 0;
    },
    async lastDeployed(scope, app) {
      const [row] = await read(LAST_DEPLOYED, own, [orgId, scope, app]);
      return row?.commit ?? null;
    },
    async knownNames(folded) {
      if (folded.length === 0) return new Set();
      return new Set((await read(KNOWN_NAMES, own, [orgId, folded])).map(({ name }) => name));
    },
    async deployEntries(id, { limit, offset }) {
      const name = recordedName(id);
      const [rows, [count]] = await Promise.all([
        read(ENTRIES, installation, [name, limit, offset, orgId]),
        read(ENTRY_COUNT, installation, [name]),
      ]);
      return { entries: rows.map(entryFromRow), total: count?.count ?? 0 };
    },
  };
}

const OF_TASK = sql<{ id: string }>(
  "reader_deploy_of_task",
  "select a.id from tasks task join deploy_approvals a on a.request_id = task.request_id where task.id = $1::uuid",
);

async function approvalOfTask(own: Asked, id: string): Promise<DeployApprovalRecord | undefined> {
  const [found] = await read(OF_TASK, own, [id]);
  if (found === undefined) return undefined;
  return (await asked(() => selectRecords(own, recordsBy("deployApproval", "id", [found.id]))))[0];
}

/** Those that were given in exchange have no name that anybody chose; the one that stands for a provider has the provider's. */
const TOKENS_NAMED = sql<{ id: string }>(
  "reader_tokens_named",
  `select id from api_tokens where org_id = $1::uuid and exchanged ->> 'value' is null and (name = $2 or number = $3::bigint)
   order by created_at desc, id desc limit 50`,
);

const OPEN = sql<{ count: number }>(
  "reader_deploy_open",
  `select count(*)::integer as count from requests
   where org_id = $1::uuid and gate = 'deploy' and live_key is not null and creator_subject = $2`,
);

const LAST_DEPLOYED = sql<{ commit: string }>(
  "reader_deploy_last",
  `select commit from deploy_approvals where org_id = $1::uuid and scope = $2 and app = $3 and deployed_at is not null
   order by deployed_at desc limit 1`,
);

const KNOWN_NAMES = sql<{ name: string }>(
  "reader_deploy_known_names",
  `select distinct known.name from unnest($2::text[]) as known (name)
   where exists (select from aliases alias where alias.org_id = $1::uuid and alias.folded = known.name)
     or exists (select from people person where lower(person.email) = known.name)`,
);

interface EntryRow {
  readonly seq: number;
  readonly text: string;
  readonly chain: string;
  readonly previous: string | null;
  readonly openings: Readonly<Record<string, JsonValue>>;
  readonly person_id: DeployPerson["id"] | null;
  readonly person_number: number | null;
  readonly assignee: string | null;
  readonly display_name: string | null;
  readonly email: string | null;
  readonly token_name: string | null;
}

/** `usr_` and `tok_` names are ids without dashes. */
const ENTRIES = sql<EntryRow>(
  "reader_deploy_entries",
  `select entry.seq, entry.text, entry.chain,
     (select before.chain from ledger_entries before where before.seq = entry.seq - 1) as previous,
     (select coalesce(json_object_agg(opening.path, opening.value), '{}'::json)
        from ledger_openings opening where opening.seq = entry.seq) as openings,
     person.id as person_id, person.number as person_number, person.assignee, person.display_name, person.email,
     token.name as token_name
   from (select * from ledger_entries where request = $1 order by seq desc limit $2::integer offset $3::integer) entry
   left join people person on person.id = case when entry.actor like 'usr\\_%' then substr(entry.actor, 5)::uuid end
   left join api_tokens token on token.org_id = $4::uuid
     and token.id = case when entry.credential like 'tok\\_%' then substr(entry.credential, 5)::uuid end
   order by entry.seq desc`,
);

const ENTRY_COUNT = sql<{ count: number }>(
  "reader_deploy_entry_count",
  "select count(*)::integer as count from ledger_entries where request = $1",
);

function entryFromRow(row: EntryRow): DeployEntry {
  const { person_id: id, person_number: number, assignee, display_name: name, email } = row;
  const isPerson = id !== null && number !== null && assignee !== null;
  return {
    ...{ seq: row.seq, text: row.text, token: row.token_name, openings: row.openings },
    hash: base64(row.chain),
    previousHash: row.previous === null ? "" : base64(row.previous),
    actor: isPerson ? { id, number, assignee, name, email } : null,
  };
}

function base64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}
