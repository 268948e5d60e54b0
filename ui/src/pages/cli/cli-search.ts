import type { TerminalSignIn } from "../../api/sign-in.ts";
import { searchText } from "../inbox/inbox-search.ts";

export type CliSearch = Readonly<
  Record<"code_challenge" | "state" | "port" | "client" | "host" | "waiting", string | undefined>
>;

export function parseCliSearch(search: Record<string, unknown>): CliSearch {
  const at = (member: keyof CliSearch): string | undefined => searchText(search[member]);
  return {
    code_challenge: at("code_challenge"),
    state: at("state"),
    port: at("port"),
    client: at("client"),
    host: at("host"),
    waiting: at("waiting"),
  };
}

/** What the terminal asked for; null when the address is not one that a terminal makes. */
export function terminalOf(search: CliSearch): TerminalSignIn | null {
  const { code_challenge: challenge, state, port, client, host } = search;
  if (challenge === undefined || state === undefined) return null;
  if (port !== undefined && !/^\d{1,5}$/.test(port)) return null;
  return {
    code_challenge: challenge,
    state,
    port: port === undefined ? null : Number(port),
    client: client ?? "unknown",
    host: host ?? "unknown",
  };
}
