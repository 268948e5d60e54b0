/** What every write of the signed-in browser carries (identity R-SESS-5). Me names it; it belongs to the session. */
let token: string | null = null;

export function rememberCsrfToken(next: string | null): void {
  token = next;
}

export function csrfToken(): string | null {
  return token;
}
