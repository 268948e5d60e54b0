import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";

import { chosenOrganization } from "../../api/chosen-organization.ts";
import type { Me } from "../../api/session.ts";
import { meQuery, mustEnrol } from "../../api/session.ts";

/** After signing in: where the person wanted to go, or first to what they must still set up. */
export function useEnter(): (me: Me) => Promise<void> {
  const client = useQueryClient();
  const navigate = useNavigate();
  const next = useNext();
  return async (me) => {
    client.clear();
    // The answer is about the organization that was signed in to; another one is read anew.
    if (chosenOrganization() === null) client.setQueryData(meQuery.queryKey, me);
    if (mustEnrol(me)) await navigate({ to: "/enrol", search: { next } });
    else await navigate({ to: "/inbox", ...(next === undefined ? {} : { href: next }) });
  };
}

/** The address to come back to; only one of the console itself is followed. */
export function useNext(): string | undefined {
  const next = useSearch({ strict: false, select: (search) => ("next" in search ? search.next : undefined) });
  return isOwnAddress(next) ? next : undefined;
}

function isOwnAddress(next: string | undefined): next is string {
  return next !== undefined && /^\/(?![/\\])/.test(next) && !/^\/(login|sign-in)\b/.test(next);
}
