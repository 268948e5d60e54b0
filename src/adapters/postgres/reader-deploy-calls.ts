/** The reading of deploy approvals for the rack proxy, one statement each (docs/spec/deploy.md R-BIND-2, R-STATE-6). */
import type { QueryResultRow } from "pg";
import type { DeployCallReader } from "../../ports/deploy-call-reader.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import { sql } from "./named-sql.ts";
import { read } from "./reader-statement.ts";
import type { Sources } from "./reading-wall.ts";
import { RECORD_TABLES, selectList } from "./record-tables.ts";
import { timestamp } from "./rows.ts";

type ApprovalRow = DeployApprovalRecord & QueryResultRow;

/** Far more than one token has approved at a time. */
const LIVE_MAX = 100;
const NEWEST = 5;

const COLUMNS = selectList(RECORD_TABLES.deployApproval);

const targetSql = (column: "target_token_id" | "target_person_id"): string => `with own as not materialized (
     select a.id, a.app, a.created_at, a.request_id from deploy_approvals a
     where a.org_id = $1::uuid and a.scope = $2 and a.${column} = $3::uuid),
   live as (
     select own.id from own join grants granted on granted.request_id = own.request_id
     where granted.state = 'active' or granted.ended_at > $5::timestamptz or granted.expires_at > $5::timestamptz
     order by own.created_at desc limit ${String(LIVE_MAX)}),
   newest as (select own.id from own where own.app = $4 order by own.created_at desc limit ${String(NEWEST)})
   select ${COLUMNS} from deploy_approvals t
   where t.id in (select id from live union select id from newest) order by t.created_at desc, t.id desc`;

const forToken = sql<ApprovalRow>("deploy_approvals_for_token", targetSql("target_token_id"));
const forPerson = sql<ApprovalRow>("deploy_approvals_for_person", targetSql("target_person_id"));

/** What began lately, whether its grant is still active or ended while the answer was awaited. */
const inDoubt = sql<ApprovalRow>(
  "deploy_approvals_in_doubt",
  `select ${COLUMNS} from grants granted join deploy_approvals t on t.request_id = granted.request_id
   where (granted.state = 'active' or granted.ended_at > now() - interval '3 hours')
     and (t.promotes::text like '%"pending"%' or t.builds::text like '%"creating"%')
   order by t.created_at limit $1::integer`,
);

export function createDeployCallReader({ own, installation }: Sources, orgId: string): DeployCallReader {
  return {
    async deployApprovalsFor({ target, scope, app, endedSince }) {
      const [statement, id] = "tokenId" in target ? [forToken, target.tokenId] : [forPerson, target.personId];
      return await read(statement, own, [orgId, scope, id, app, timestamp(endedSince)]);
    },
    async deployApprovalsInDoubt(limit) {
      return await read(inDoubt, installation, [limit]);
    },
  };
}
