/** Which makers of authenticators are believed about their models, from a file of certificates (docs/spec/identity.md R-FACT-12). */
import { readFileSync } from "node:fs";
import { rootsIn } from "../adapters/factors/attestation.ts";
import { StartRefused } from "./start-refused.ts";

/** Throws StartRefused: a file that cannot be used would refuse every key later, one by one. */
export function attestationRoots(file: string): readonly string[] {
  if (file === "") return [];
  const roots = rootsIn(textOf(file));
  if (roots !== null) return roots;
  throw refused(file, "holds no certificates in PEM, or one that cannot be read");
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw refused(file, "cannot be read");
  }
}

function refused(file: string, why: string): StartRefused {
  return new StartRefused("setting_invalid", `countersign.attestation_roots_file cannot be used: ${file} ${why}.`);
}
