import { useState } from "react";

/**
 * The secret of a one-time link stands behind the # of the address: no server and no scanner sees it there. It is taken
 * out of the address at once, so that it stays in no history.
 */
export function useLinkToken(): string {
  const [token] = useState(() => {
    const written = window.location.hash.slice(1);
    if (written !== "") window.history.replaceState(window.history.state, "", window.location.pathname);
    return written;
  });
  return token;
}
