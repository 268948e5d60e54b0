import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useCallback, useState } from "react";

import type { Person } from "../../api/people.ts";
import { usePeople } from "../../api/people.ts";
import { may, meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { FilterBar } from "../../parts/filter-bar.tsx";
import { initialsOf } from "../../parts/initials.ts";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { roleWord } from "../../parts/role-words.ts";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { StatusMark, statusWord } from "../../parts/status-mark.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { useRowKeys } from "../../shell/row-keys.ts";
import { InviteSheet } from "./invite-sheet.tsx";
import styles from "./people.module.css";

const personStatuses = ["active", "invited", "placeholder", "locked", "suspended", "erased"] as const;

export function PeoplePage(): ReactNode {
  const search = useSearch({ from: "/signed-in/people" });
  const navigate = useNavigate({ from: "/people" });
  const me = useQuery(meQuery).data;
  const people = usePeople(search);
  const [inviting, setInviting] = useState(false);
  useRowKeys();
  const onChange = useCallback(
    (name: string, value: string | undefined) => {
      void navigate({ search: (before) => ({ ...before, cursor: undefined, [name]: value }), replace: true });
    },
    [navigate],
  );
  return (
    <>
      <PageHead title="People" />
      <div className={listing.bar}>
        <FilterBar
          fields={[
            { name: "q", label: "Search", value: search.q, kind: "search" },
            {
              name: "status",
              label: "Status",
              value: search.status,
              kind: "choice",
              options: personStatuses.map((status) => ({ value: status, word: statusWord(`person_${status}`) })),
            },
          ]}
          onChange={onChange}
          onClear={() => {
            void navigate({ search: {} });
          }}
        />
        {me !== undefined && may(me, "org:user:invite") && (
          <button
            type="button"
            className={classNames(controls.button, controls.primary)}
            onClick={() => {
              setInviting(true);
            }}
          >
            Invite
          </button>
        )}
      </div>
      <PeopleList people={people} />
      <Pages next={people.data?.next ?? null} cursor={search.cursor} />
      {inviting && (
        <InviteSheet
          onClose={() => {
            setInviting(false);
          }}
        />
      )}
    </>
  );
}

function PeopleList({ people }: { readonly people: ReturnType<typeof usePeople> }): ReactNode {
  const items = people.data?.items ?? [];
  return (
    <>
      {people.isError && (
        <Failed
          what="The people"
          failure={people.error}
          since={people.errorUpdatedAt}
          onRetry={() => void people.refetch()}
        />
      )}
      {people.isPending && <Loading rows={6} label="people" />}
      {people.data !== undefined && items.length === 0 && <Empty title="Nobody matches these filters" />}
      {items.length > 0 && (
        <ul aria-label="People">
          {items.map((person) => (
            <PersonRow key={person.id} person={person} />
          ))}
        </ul>
      )}
    </>
  );
}

function PersonRow({ person }: { readonly person: Person }): ReactNode {
  const name = person.name ?? person.assignee;
  return (
    <li>
      <Link to="/people/$id" params={{ id: person.id }} data-row="" className={classNames(listing.row, listing.wide)}>
        <i className={styles.initials} aria-hidden="true">
          {initialsOf(name)}
        </i>
        <span className={listing.what}>
          <span className={listing.name}>
            <OutsideText text={name} />
          </span>
          <span className={listing.about}>
            <span>
              <OutsideText text={person.assignee} />
            </span>
            {person.email !== null && person.email !== person.assignee && (
              <span>
                <OutsideText text={person.email} />
              </span>
            )}
            {person.roles.length > 0 && <span>{rolesLine(person)}</span>}
          </span>
        </span>
        <span className={styles.end}>
          {person.status === "active" && !person.enrolled && (
            <span className={classNames(listing.badge, listing.wait)}>no factor</span>
          )}
          <StatusMark status={`person_${person.status}`} />
        </span>
      </Link>
    </li>
  );
}

function rolesLine(person: Person): string {
  return [...new Set(person.roles.map(({ role }) => roleWord(role)))].join(", ");
}

function Pages({ next, cursor }: { readonly next: string | null; readonly cursor: string | undefined }): ReactNode {
  if (next === null && cursor === undefined) return null;
  return (
    <nav className={styles.pages} aria-label="Pages of the list">
      {cursor !== undefined && (
        <Link to="/people" search={(before) => ({ ...before, cursor: undefined })} className={controls.button}>
          First page
        </Link>
      )}
      {next !== null && (
        <Link to="/people" search={(before) => ({ ...before, cursor: next })} className={controls.button}>
          Next page
        </Link>
      )}
    </nav>
  );
}
