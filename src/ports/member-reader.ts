/** What the pages about people show (docs/spec/identity.md section 6). */
import type { PersonId, RequestId, TaskId } from "../core/ids.ts";
import type { Instant } from "../core/person.ts";
import type { PersonStatus } from "../core/person-status.ts";
import type { PersonRecord, ScimResourceRecord } from "./identity-records.ts";
import type { Page } from "./page.ts";

export interface MemberSummary {
  readonly record: PersonRecord;
  /** Those of this organization and of the platform. */
  readonly roles: readonly { readonly role: string; readonly source: string }[];
  readonly enrolled: boolean;
}

export interface MemberFilter {
  readonly q?: string;
  /** Everybody but the erased when it is absent. */
  readonly status?: PersonStatus;
  readonly limit: number;
  readonly cursor?: string;
}

export interface OpenTask {
  readonly id: TaskId;
  readonly requestId: RequestId;
  readonly artifactType: string;
  readonly artifactId: string;
  readonly stageName: string;
  readonly dueAt: Instant | null;
  readonly createdAt: Instant;
}

export interface ScimFilter {
  readonly kind: "user" | "group";
  /** Equal, whatever the letter case; null lists all. */
  readonly by: { readonly member: "userName" | "displayName" | "externalId" | "id"; readonly value: string } | null;
  /** From 1. */
  readonly startIndex: number;
  readonly count: number;
}

/** A resource as SCIM shows it, with what it is about. */
export interface ScimView {
  readonly record: ScimResourceRecord;
  /** Of the person; null for groups. */
  readonly status: PersonStatus | null;
  /** People of a group by their own resources; groups of a person. */
  readonly related: readonly { readonly id: string; readonly display: string }[];
}

export interface MemberReader {
  /** By name; who comes from this organization or holds a role in it. */
  members(filter: MemberFilter): Promise<Page<MemberSummary>>;
  member(id: PersonId): Promise<MemberSummary | undefined>;
  scimResources(filter: ScimFilter): Promise<{ readonly items: readonly ScimView[]; readonly total: number }>;
  /** The newest 200. */
  openTasks(id: PersonId): Promise<readonly OpenTask[]>;
}
