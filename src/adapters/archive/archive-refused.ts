/** Thrown inside the reader where an archive is not acceptable; outside it is a value. */
import type { ArchiveFault } from "../../gates/deploy/content-refusal.ts";

/** The path of faults that are in no entry. */
export const WHOLE = "tar.gz";

export class ArchiveRefused extends Error {
  override readonly name = "ArchiveRefused";
  readonly fault: ArchiveFault;

  constructor(fault: ArchiveFault) {
    super(`${fault.path}: ${fault.why}`);
    this.fault = fault;
  }
}

export function badForm(path: string, why: string): ArchiveRefused {
  return new ArchiveRefused({ code: "archive_form", path, why });
}

export function tooLarge(path: string, which: string): ArchiveRefused {
  return new ArchiveRefused({ code: "archive_limit", path, why: which });
}
