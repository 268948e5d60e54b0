export interface TokensSearch {
  /** Those without an end alone (identity R-TOK-3). */
  readonly expires?: "never" | undefined;
}

export function parseTokensSearch(search: Record<string, unknown>): TokensSearch {
  return { expires: search["expires"] === "never" ? "never" : undefined };
}
