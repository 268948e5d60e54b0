/** The reading of policy lines and versions, one statement each. */
import type { PolicyFilter, Reader } from "../../ports/reader.ts";
import { decodeCursor, encodeCursor, pageOf } from "./reader-cursor.ts";
import { allOf, ask, containing, parameters, read } from "./reader-statement.ts";
import type { Asked } from "./reading-wall.ts";
import { POLICY_COLUMNS, policyFromRow, type PolicyRow } from "./rows.ts";
import { sql } from "./named-sql.ts";

type PolicyReader = Pick<Reader, "policies" | "policyVersions" | "policyVersion" | "policyById">;

export function createPolicyReader(own: Asked, orgId: string): PolicyReader {
  return {
    async policies(filter) {
      const { text, values } = policyPage(filter, orgId);
      const rows = await ask<PolicyRow>(own, "reader_policies", text, values);
      return pageOf(rows, filter.limit, {
        item: policyFromRow,
        cursor: (row) => encodeCursor("policies", [row.policy_key]),
      });
    },
    async policyVersions(key) {
      const rows = await read(versionsSql, own, [orgId, key]);
      return rows.map(policyFromRow);
    },
    async policyVersion(key, version) {
      const [row] = await read(versionSql, own, [orgId, key, version]);
      return row === undefined ? undefined : policyFromRow(row);
    },
    async policyById(id) {
      const [row] = await read(byIdSql, own, [orgId, id]);
      return row === undefined ? undefined : policyFromRow(row);
    },
  };
}

const versionsSql = sql<PolicyRow>(
  "reader_policy_versions",
  `select ${POLICY_COLUMNS} from policies p where p.org_id = $1 and p.policy_key = $2 order by p.version desc`,
);

const versionSql = sql<PolicyRow>(
  "reader_policy_version",
  `select ${POLICY_COLUMNS} from policies p where p.org_id = $1 and p.policy_key = $2 and p.version = $3`,
);

const byIdSql = sql<PolicyRow>(
  "reader_policy_by_id",
  `select ${POLICY_COLUMNS} from policies p where p.org_id = $1 and p.id = $2`,
);

const ANY_KEY = /^[^]+$/;

/** By key, of each line the newest version among those that the filter lets through. */
function policyPage(filter: PolicyFilter, orgId: string): { text: string; values: readonly unknown[] } {
  const bound = parameters();
  const { $ } = bound;
  const conditions = [
    `p.org_id = ${$(orgId)}::uuid`,
    filter.status !== undefined && `p.status = ${$(filter.status)}`,
    filter.artifactType !== undefined && `p.artifact_type = ${$(filter.artifactType)}`,
    filter.q !== undefined && nameCondition($(containing(filter.q))),
    filter.cursor !== undefined && `p.policy_key > ${$(decodeCursor("policies", filter.cursor, [ANY_KEY])[0])}`,
  ];
  const text = `select distinct on (p.policy_key) ${POLICY_COLUMNS} from policies p where ${allOf(conditions)}
order by p.policy_key, p.version desc limit ${$(filter.limit + 1)}::integer`;
  return { text, values: bound.values };
}

function nameCondition(pattern: string): string {
  return `p.policy_key ilike ${pattern} or p.name ilike ${pattern}`;
}
