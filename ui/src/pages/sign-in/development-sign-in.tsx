import { useMutation, useQuery } from "@tanstack/react-query";
import { ChevronRightIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { DevelopmentPerson, Me, SignIn } from "../../api/session.ts";
import { developmentPeopleQuery, signIn } from "../../api/session.ts";
import { initialsOf } from "../../parts/initials.ts";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { roleWord } from "../../parts/role-words.ts";
import { OtherNameForm } from "./other-name-form.tsx";
import styles from "./sign-in-page.module.css";

/** Development mode: anybody is whoever they say. */
export function DevelopmentSignIn({ onEntered }: { readonly onEntered: (me: Me) => Promise<void> }): ReactNode {
  const people = useQuery(developmentPeopleQuery);
  const entering = useMutation({ mutationFn: (person: SignIn) => signIn(person), onSuccess: onEntered });
  if (people.isPending) return <Loading rows={3} label="people" />;
  if (people.isError) return <Failed what="The people" failure={people.error} onRetry={() => void people.refetch()} />;
  return (
    <>
      <p className={styles.sentence}>
        This server runs in development mode. Choose who you are; no password is asked, and nobody outside this machine
        can reach it.
      </p>
      <RefusedNote failure={entering.error} />
      <ul className={styles.people} aria-label="People">
        {people.data.map((person) => (
          <li key={person.assignee}>
            <PersonButton person={person} busy={entering.isPending} onChoose={entering.mutate} />
          </li>
        ))}
      </ul>
      <OtherNameForm busy={entering.isPending} onSubmit={entering.mutate} />
    </>
  );
}

interface PersonButtonProps {
  readonly person: DevelopmentPerson;
  readonly busy: boolean;
  readonly onChoose: (person: SignIn) => void;
}

function PersonButton({ person, busy, onChoose }: PersonButtonProps): ReactNode {
  return (
    <button
      type="button"
      className={styles.person}
      disabled={busy}
      onClick={() => {
        onChoose({ assignee: person.assignee });
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
  );
}
