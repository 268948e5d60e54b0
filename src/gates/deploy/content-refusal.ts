/** How does the gate say no to what is in an archive or a manifest? Codes and first lines of docs/spec/deploy.md 21.2. */

export interface ContentRefusal {
  readonly code: "archive_form" | "archive_limit" | "source_mismatch" | ManifestRefusalCode;
  readonly status: 400 | 413 | 422;
  /** The first line, verbatim from the spec. */
  readonly message: string;
  /** What comes below it: particulars, and what to do next. */
  readonly lines: readonly string[];
}

/** `manifest_invalid` is what no code of its own describes: a manifest that cannot be read, or is of an odd shape. */
export type ManifestRefusalCode = "manifest_invalid" | "image_pattern" | "image_repository" | "git_sha_required";

/** What an archive was refused for, as its reader tells it. */
export interface ArchiveFault {
  readonly code: "archive_form" | "archive_limit";
  /** In the archive; `tar.gz` where the fault is in no entry. For a limit it is where the limit was passed. */
  readonly path: string;
  /** For a limit: which. */
  readonly why: string;
}

/** The first differences that a refusal lists (deploy R-BIND-6, R-SOURCE-3). */
export const LISTED_MAX = 20;

export function archiveRefusal(fault: ArchiveFault): ContentRefusal {
  if (fault.code === "archive_limit") {
    const line = `The limit was passed at ${shown(fault.path)}.`;
    const message = `archive is too large: ${fault.why}`;
    return {
      code: fault.code,
      status: 413,
      message,
      lines: [line, "Leave out what the build does not need (.dockerignore)."],
    };
  }
  return {
    code: fault.code,
    status: 422,
    message: `archive is not acceptable: ${shown(fault.path)}: ${fault.why}`,
    lines: ["Expected: one gzip member with a tar of regular files, directories and symbolic links."],
  };
}

export function manifestRefusal(
  code: ManifestRefusalCode,
  reason: string,
  lines: readonly string[] = [],
): ContentRefusal {
  return { code, status: 422, message: `manifest validation failed: ${reason}`, lines };
}

const SHOWN_MAX = 200;

/**
 * Text from an archive, for people: what would break the line, move the cursor or turn the direction of the text is written
 * as its code, and what is very long is cut.
 */
export function shown(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const units = character.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
    return units.map((unit) => `\\u${unit}`).join("");
  });
  const characters = Array.from(plain.slice(0, 2 * SHOWN_MAX));
  return characters.length > SHOWN_MAX || plain.length > 2 * SHOWN_MAX
    ? `${characters.slice(0, SHOWN_MAX).join("")}…`
    : plain;
}
