/**
 * How large may an archive be? Implements docs/spec/deploy.md R-MANIFEST-1. Sizes in bytes; an installation may only narrow them.
 */

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

export interface ArchiveLimits {
  /** Of the tar.gz as sent. */
  readonly archiveBytes: number;
  /** Of the tar inside. */
  readonly expandedBytes: number;
  /** Bytes of tar per byte of tar.gz. */
  readonly expansion: number;
  readonly entries: number;
  /** Of one path, or of one link's target. */
  readonly pathBytes: number;
  readonly fileBytes: number;
  readonly manifestBytes: number;
  /** Of all captured manifests together. */
  readonly manifestsBytes: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  archiveBytes: 2 * GIB,
  expandedBytes: 16 * GIB,
  expansion: 200,
  entries: 200_000,
  pathBytes: 4_096,
  fileBytes: 4 * GIB,
  manifestBytes: MIB,
  manifestsBytes: 8 * MIB,
};

/** The limits of an installation: a figure above ours counts as ours. */
export function narrowedLimits(wanted: Partial<ArchiveLimits>): ArchiveLimits {
  const least = (name: keyof ArchiveLimits): number => Math.min(ARCHIVE_LIMITS[name], wanted[name] ?? Infinity);
  return {
    archiveBytes: least("archiveBytes"),
    expandedBytes: least("expandedBytes"),
    expansion: least("expansion"),
    entries: least("entries"),
    pathBytes: least("pathBytes"),
    fileBytes: least("fileBytes"),
    manifestBytes: least("manifestBytes"),
    manifestsBytes: least("manifestsBytes"),
  };
}
