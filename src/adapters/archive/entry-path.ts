/** Where would a program put this entry? One way to write a path, and only paths below the archive's root (deploy R-MANIFEST-2). */
import { badForm, tooLarge } from "./archive-refused.ts";

/** Without `./` and without a slash at the end; empty for the root itself. */
export function entryPath(written: string, bytesMax: number): string {
  if (Buffer.byteLength(written) > bytesMax) throw tooLarge(written, `a path is longer than ${bytesMax} bytes`);
  if (written === "") throw badForm(written, "its path is empty");
  if (written.includes("\0")) throw badForm(written, "its path has a NUL in it");
  if (written.includes("\\")) throw badForm(written, "its path has a backslash in it");
  if (written.startsWith("/")) throw badForm(written, "its path is absolute");
  const segments = (written.endsWith("/") ? written.slice(0, -1) : written).split("/");
  if (segments.includes("..")) throw badForm(written, "its path leads upwards");
  if (segments.includes("")) throw badForm(written, "its path has an empty part");
  return segments.filter((segment) => segment !== ".").join("/");
}
