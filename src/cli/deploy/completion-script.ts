/** Completion of commands in bash, zsh and fish, from the commands themselves (docs/spec/deploy.md R-CLI-10). */
import type { Command } from "commander";
import { CliFault } from "./cli-outcome.ts";

export function completionScript(shell: string, program: Command): string {
  const name = program.name();
  switch (shell) {
    case "bash":
      return bashScript(name, wordsOf(program));
    case "zsh":
      // Zsh reads bash's way.
      return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(name, wordsOf(program))}`;
    case "fish":
      return fishScript(name, wordsOf(program));
    default:
      throw new CliFault(`there is no completion for ${shell}: bash, zsh or fish`);
  }
}

interface Words {
  /** Of the commands before it, with spaces; empty for the program. */
  readonly path: string;
  readonly words: readonly string[];
}

function wordsOf(command: Command, path = ""): readonly Words[] {
  const below = command.commands.map((one) => ({ one, path: path === "" ? one.name() : `${path} ${one.name()}` }));
  const options = command.options.flatMap(({ long }) => long ?? []);
  const words = [...command.commands.map((one) => one.name()), ...options];
  return [{ path, words }, ...below.flatMap(({ one, path: deeper }) => wordsOf(one, deeper))];
}

/** A shell's own expansion, not ours. */
function shellValue(text: string): string {
  return `\${${text}}`;
}

function bashScript(name: string, all: readonly Words[]): string {
  const shellName = name.replaceAll("-", "_");
  const cases = all.map(({ path, words }) => `    "${path}") words="${words.join(" ")}" ;;`);
  return [
    `_${shellName}() {`,
    '  local path="" word words=""',
    `  for word in "${shellValue("COMP_WORDS[@]:1:COMP_CWORD-1")}"; do`,
    `    case "$word" in -*) ;; *) path="${shellValue("path:+$path ")}$word" ;; esac`,
    "  done",
    '  case "$path" in',
    ...cases,
    "  esac",
    `  COMPREPLY=($(compgen -W "$words" -- "${shellValue("COMP_WORDS[COMP_CWORD]")}"))`,
    "}",
    `complete -F _${shellName} ${name}`,
  ].join("\n");
}

function fishScript(name: string, all: readonly Words[]): string {
  return all
    .map(({ path, words }) => {
      const names = words.filter((word) => !word.startsWith("-")).join(" ");
      const condition =
        path === "" ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${path.split(" ").at(-1) ?? ""}`;
      return names === "" ? "" : `complete -c ${name} -f -n '${condition}' -a '${names}'`;
    })
    .filter((line) => line !== "")
    .join("\n");
}
