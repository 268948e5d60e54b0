/**
 * The read side on Postgres: every question of the port in a number of statements that depends on nothing (engine section
 * 21), and never without asking what the viewer may see (engine R-AUTH-30).
 */
import type { Pool } from "pg";
import type { Reader } from "../../ports/reader.ts";
import { createAuditReader } from "./reader-audit.ts";
import { createDeployReader } from "./reader-deploy.ts";
import { createDeployCallReader } from "./reader-deploy-calls.ts";
import { createDeliveryReader } from "./reader-deliveries.ts";
import { createJobReader } from "./reader-jobs.ts";
import { createLedgerLineReader } from "./reader-ledger-lines.ts";
import { createMachineReader } from "./reader-machines.ts";
import { createMemberReader } from "./reader-members.ts";
import { createNumberReader } from "./reader-numbers.ts";
import { createPeopleReader } from "./reader-people.ts";
import { createPolicyReader } from "./reader-policies.ts";
import { createRequestReader } from "./reader-requests.ts";
import { createTaskReader } from "./reader-tasks.ts";
import { behindWall, type Sources } from "./reading-wall.ts";

export interface ReaderOptions {
  /** The organization whose requests, policies and people are read. */
  readonly orgId: string;
}

/** Every method rejects with `Unavailable` when the database cannot answer in time, and with `InvalidCursor` for a foreign cursor. */
export function createReader(pool: Pool, { orgId }: ReaderOptions): Reader {
  return readerOf({ own: behindWall(pool, orgId), installation: pool }, { orgId });
}

/** Every statement says which organization it asks about, whatever its source lets it see: the first wall (identity R-ORG-2). */
export function readerOf(sources: Sources, { orgId }: ReaderOptions): Reader {
  const { own } = sources;
  return {
    ...createRequestReader(sources, orgId),
    ...createTaskReader(own, orgId),
    ...createPolicyReader(own, orgId),
    ...createPeopleReader(sources, orgId),
    ...createMemberReader(own, orgId),
    ...createMachineReader(sources, orgId),
    ...createNumberReader(sources, orgId),
    ...createLedgerLineReader(sources, orgId),
    ...createJobReader(own, orgId),
    ...createAuditReader(own, orgId),
    ...createDeliveryReader(own, orgId),
    ...createDeployReader(sources, orgId),
    ...createDeployCallReader(sources, orgId),
  };
}
