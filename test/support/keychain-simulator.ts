/**
 * Programs that speak the interfaces of `secret-tool` (libsecret) and `security` (macOS), as far as a keychain is asked: they keep
 * secrets in files of a directory, write down their arguments, and refuse what the real ones would.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface KeychainSimulator {
  /** To be the first of `PATH`. */
  readonly bin: string;
  readonly secrets: () => readonly string[];
  /** Every argument that any of the programs was ever given. */
  readonly seenArguments: () => string;
  lock(isLocked: boolean): void;
}

const SECRET_TOOL = `
usage() { echo "usage: secret-tool store --label='label' attribute value ..." >&2; exit 2; }
[ -e "$dir/locked" ] && { echo "secret-tool: Cannot get secret of a locked object" >&2; exit 1; }
verb=$1; shift
[ "$verb" = store ] && { case $1 in --label=?*) shift ;; *) usage ;; esac }
[ $# -ge 2 ] && [ $(($# % 2)) -eq 0 ] || usage
name=$(echo "$*" | tr ' /' '__')
case $verb in
  store) cat > "$dir/kept/$name" ;;
  lookup) cat "$dir/kept/$name" 2>/dev/null || exit 1 ;;
  clear) rm "$dir/kept/$name" 2>/dev/null || exit 1 ;;
  *) usage ;;
esac
`;

const SECURITY = `
[ -e "$dir/locked" ] && { echo "security: User interaction is not allowed." >&2; exit 36; }
if [ "$1" = -i ]; then read -r line; eval "set -- $line"; fi
verb=$1; shift
account= secret= shows=
while [ $# -gt 0 ]; do
  case $1 in
    -U) ;;
    -s | -l) shift ;;
    -a) account=$2; shift ;;
    -w) if [ "$verb" = find-generic-password ]; then shows=1; else secret=$2; shift; fi ;;
    *) echo "Usage: $verb" >&2; exit 2 ;;
  esac
  shift
done
case $verb in
  add-generic-password) printf %s "$secret" > "$dir/kept/$account" ;;
  find-generic-password) [ -e "$dir/kept/$account" ] && [ -n "$shows" ] || exit 44; cat "$dir/kept/$account"; echo ;;
  delete-generic-password) rm "$dir/kept/$account" 2>/dev/null || exit 44 ;;
  *) exit 2 ;;
esac
`;

export function keychainSimulator(directory: string): KeychainSimulator {
  const bin = join(directory, "bin");
  const kept = join(directory, "kept");
  for (const each of [bin, kept]) mkdirSync(each);
  for (const [name, script] of [["secret-tool", SECRET_TOOL] as const, ["security", SECURITY] as const]) {
    const head = `#!/bin/sh\ndir='${directory}'\necho "$0 $*" >> "$dir/arguments"\n`;
    writeFileSync(join(bin, name), head + script);
    chmodSync(join(bin, name), 0o755);
  }
  const log = join(directory, "arguments");
  return {
    bin,
    secrets: () => readdirSync(kept).map((name) => readFileSync(join(kept, name), "utf8")),
    seenArguments: () => (existsSync(log) ? readFileSync(log, "utf8") : ""),
    lock(isLocked) {
      if (isLocked) writeFileSync(join(directory, "locked"), "");
      else rmSync(join(directory, "locked"));
    },
  };
}
