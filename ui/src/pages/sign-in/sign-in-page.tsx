import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronRightIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useEffect } from "react";

import type { DevelopmentPerson, SignIn } from "../../api/session.ts";
import { developmentPeopleQuery, meQuery, signIn } from "../../api/session.ts";
import { initialsOf } from "../../parts/initials.ts";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Failed, Loading, RefusalText } from "../../parts/states.tsx";
import { roleWord } from "../../shell/top-bar.tsx";
import { Wordmark } from "../../shell/wordmark.tsx";
import { OtherNameForm } from "./other-name-form.tsx";
import styles from "./sign-in-page.module.css";

export function SignInPage(): ReactNode {
  const people = useQuery(developmentPeopleQuery);
  useEffect(() => {
    document.title = "Sign in · Countersign";
  }, []);
  return (
    <main className={styles.page}>
      <div className={styles.sheet}>
        <div className={styles.brand}>
          <Wordmark />
        </div>
        <h1 className={styles.title}>Sign in</h1>
        {people.isPending && <Loading rows={3} label="people" />}
        {people.isError && <Failed what="The sign-in" failure={people.error} onRetry={() => void people.refetch()} />}
        {people.data === null && <NoBrowserSignIn />}
        {people.data !== undefined && people.data !== null && <DevelopmentSignIn people={people.data} />}
      </div>
    </main>
  );
}

function NoBrowserSignIn(): ReactNode {
  return (
    <p className={styles.sentence}>
      On this server people sign in with a token of the identity provider, sent with each call of the API. Signing in
      from the browser is not available in this version.
    </p>
  );
}

function DevelopmentSignIn({ people }: { readonly people: readonly DevelopmentPerson[] }): ReactNode {
  const enter = useEnter();
  return (
    <>
      <p className={styles.sentence}>
        This server runs in development mode. Choose who you are; no password is asked, and nobody outside this machine
        can reach it.
      </p>
      {enter.error !== null && (
        <div className={styles.refused} role="alert">
          <RefusalText failure={enter.error} />
        </div>
      )}
      <ul className={styles.people} aria-label="People">
        {people.map((person) => (
          <li key={person.assignee}>
            <button
              type="button"
              className={styles.person}
              disabled={enter.isPending}
              onClick={() => {
                enter.mutate({ assignee: person.assignee });
              }}
            >
              <i className={styles.initials} aria-hidden="true">
                {initialsOf(person.name ?? person.assignee)}
              </i>
              <span className={styles.who}>
                <span className={styles.name}>
                  <OutsideText text={person.name ?? person.assignee} />
                </span>
                <span className={styles.roles}>
                  <OutsideText text={[person.assignee, ...person.roles.map(roleWord)].join(" · ")} />
                </span>
              </span>
              <ChevronRightIcon size={16} aria-hidden="true" className={styles.arrow} />
            </button>
          </li>
        ))}
      </ul>
      <OtherNameForm busy={enter.isPending} onSubmit={enter.mutate} />
    </>
  );
}

function useEnter() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const next = useSearch({ from: "/login", select: (search) => search.next });
  return useMutation({
    mutationFn: (person: SignIn) => signIn(person),
    onSuccess: async (me) => {
      client.clear();
      client.setQueryData(meQuery.queryKey, me);
      await navigate({ to: "/inbox", ...(isOwnAddress(next) ? { href: next } : {}) });
    },
  });
}

/** Only an address of the console itself is followed after signing in. */
function isOwnAddress(next: string | undefined): next is string {
  return next !== undefined && /^\/(?![/\\])/.test(next) && !next.startsWith("/login");
}
