/**
 * Where the token of an entry of a configuration file lies: in the file, or in the system keychain, as the file's member
 * `keychain` says (docs/spec/deploy.md R-CLI-3). Whoever knows nothing of the keychain finds an entry without a token.
 */
import { CliConfigFault } from "./cli-config-fault.ts";
import { systemKeychain, type KeychainPlace } from "./system-keychain.ts";

type Json = Readonly<Record<string, unknown>>;

const IN_KEYCHAIN = "keychain";

export function isInKeychain(entry: Json): boolean {
  return entry["token_in"] === IN_KEYCHAIN;
}

/** Null where there is none. */
export function keptToken(entry: Json, place: KeychainPlace): string | null {
  const { token } = entry;
  if (typeof token === "string" && token !== "") return token;
  if (!isInKeychain(entry)) return null;
  const secret = systemKeychain().read(place);
  if (secret === null)
    throw new CliConfigFault(`The system keychain has lost the token of ${place.name}: sign in again.`);
  return secret;
}

/** The entry as it goes into the file. */
export function keepToken(entry: Json, place: KeychainPlace, useKeychain: boolean): Json {
  const { token } = entry;
  if (typeof token !== "string" || token === "") return entry;
  if (useKeychain) {
    systemKeychain().write(place, token);
    return { ...entry, token: "", token_in: IN_KEYCHAIN };
  }
  dropToken(entry, place);
  return withoutPlace(entry);
}

/** Before an entry is forgotten. */
export function dropToken(entry: Json, place: KeychainPlace): void {
  if (isInKeychain(entry)) systemKeychain().remove(place);
}

/** From the file to the keychain or back; an entry without a token stays as it is. */
export function moveToken(entry: Json, place: KeychainPlace, useKeychain: boolean): Json {
  if (isInKeychain(entry) === useKeychain) return entry;
  return keepToken({ ...entry, token: keptToken(entry, place) ?? "" }, place, useKeychain);
}

function withoutPlace(entry: Json): Json {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => name !== "token_in"));
}
