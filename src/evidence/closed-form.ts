/** Checks for values from outside: exactly these members, each in its form, nothing else (docs/spec/evidence.md). */
import { fromBase64 } from "../ledger/base64.ts";
import { isRecord } from "../ledger/kind-schema.ts";

export type FormCheck = (value: unknown) => boolean;

export type FormMembers = Readonly<Record<string, FormCheck>>;

const HASH_BYTES = 32;

/** An object with all of `members`, perhaps some of `optional`, and no other. */
export function hasExactly(members: FormMembers, optional: FormMembers = {}): FormCheck {
  const needed = Object.entries(members);
  const checks = new Map([...needed, ...Object.entries(optional)]);
  return (value) =>
    isRecord(value) &&
    needed.every(([name]) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, member]) => checks.get(name)?.(member) === true);
}

export function isListOf(check: FormCheck): FormCheck {
  return (value) => Array.isArray(value) && value.every((item) => check(item));
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** 32 bytes in base64, as in checkpoints and proofs. */
export function isBase64Hash(value: unknown): boolean {
  return typeof value === "string" && fromBase64(value)?.length === HASH_BYTES;
}
