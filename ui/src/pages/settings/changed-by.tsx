import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { usePerson } from "../../api/people.ts";
import type { Me } from "../../api/session.ts";
import { may, meQuery } from "../../api/session.ts";
import { OutsideText } from "../../parts/outside-text.tsx";

/** Who did something, by the name that the ledger has for them; people are called by their own name where it may be read. */
export function ChangedBy({ by }: { readonly by: string }): ReactNode {
  const me = useQuery(meQuery).data;
  const id = personIdIn(by);
  if (id === null || me === undefined) return <OutsideText text={by} />;
  if (id === me.person_id) return "you";
  return reads(me) ? <NamedPerson id={id} by={by} /> : <OutsideText text={by} />;
}

function reads(me: Me): boolean {
  return may(me, "org:user:read");
}

function NamedPerson({ id, by }: { readonly id: string; readonly by: string }): ReactNode {
  const person = usePerson(id).data;
  if (person === undefined) return <OutsideText text={by} />;
  return (
    <Link to="/people/$id" params={{ id }}>
      <OutsideText text={person.name ?? person.assignee} />
    </Link>
  );
}

/** `usr_` and the 32 hexadecimal digits of a person's id; null for machines and the installation itself. */
function personIdIn(by: string): string | null {
  const digits = /^usr_([0-9a-f]{32})$/.exec(by)?.[1];
  return digits === undefined ? null : digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
