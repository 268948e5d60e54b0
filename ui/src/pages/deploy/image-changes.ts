import type { DeployApproval } from "../../api/deploy-approvals.ts";

type Image = DeployApproval["images"][number];

export interface ImageChange {
  readonly service: string;
  /** Null for a service that was not there. */
  readonly old: Image | null;
  /** Null for one that is no longer there. */
  readonly now: Image | null;
}

/** Each service once, by name: what its image was and what it will be. */
export function imageChanges(before: readonly Image[], now: readonly Image[]): readonly ImageChange[] {
  const services = new Set([...before, ...now].map(({ service }) => service));
  return [...services].toSorted().map((service) => ({
    service,
    old: before.find((image) => image.service === service) ?? null,
    now: now.find((image) => image.service === service) ?? null,
  }));
}

export function isSameImage({ old, now }: ImageChange): boolean {
  return old?.image === now?.image && old?.digest === now?.digest;
}
