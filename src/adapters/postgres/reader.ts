/**
 * The read side on Postgres: every question of the port in a number of statements that depends on nothing (engine section
 * 21), and never without asking what the viewer may see (engine R-AUTH-30).
 */
import type { Pool } from "pg";
import type { Reader } from "../../ports/reader.ts";
import { createAuditReader } from "./reader-audit.ts";
import { createMachineReader } from "./reader-machines.ts";
import { createMemberReader } from "./reader-members.ts";
import { createPeopleReader } from "./reader-people.ts";
import { createPolicyReader } from "./reader-policies.ts";
import { createRequestReader } from "./reader-requests.ts";
import { createTaskReader } from "./reader-tasks.ts";

export interface ReaderOptions {
  /** The organization whose requests, policies and people are read. */
  readonly orgId: string;
}

/** Every method rejects with `Unavailable` when the database cannot answer in time, and with `InvalidCursor` for a foreign cursor. */
export function createReader(pool: Pool, { orgId }: ReaderOptions): Reader {
  return {
    ...createRequestReader(pool, orgId),
    ...createTaskReader(pool, orgId),
    ...createPolicyReader(pool, orgId),
    ...createPeopleReader(pool, orgId),
    ...createMemberReader(pool, orgId),
    ...createMachineReader(pool, orgId),
    ...createAuditReader(pool, orgId),
  };
}
