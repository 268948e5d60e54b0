import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Refusal } from "../../api/call.ts";
import { byAge } from "../../api/factors.ts";
import type { WholePerson } from "../../api/people.ts";
import { usePerson } from "../../api/people.ts";
import type { Me } from "../../api/session.ts";
import { may, meQuery } from "../../api/session.ts";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { roleWord } from "../../parts/role-words.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { StatusMark } from "../../parts/status-mark.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { NotFoundPage } from "../not-found-page.tsx";
import { IdentityLine, SessionLine } from "../security/access-lines.tsx";
import { FactorRow, isCoolingDown } from "../security/factor-row.tsx";
import { MoveNameButton } from "./move-name-button.tsx";
import { PersonActs } from "./person-acts.tsx";
import { RolesButton } from "./roles-button.tsx";
import styles from "./people.module.css";
import { VouchButton } from "./vouch-button.tsx";

/** R-ADM-3: what an administrator sees of a person, and what they may do about it. */
export function PersonPage(): ReactNode {
  const { id } = useParams({ from: "/signed-in/people/$id" });
  const me = useQuery(meQuery).data;
  const person = usePerson(id);
  if (person.isError && person.data === undefined) {
    const gone = person.error instanceof Refusal && [404, 422].includes(person.error.status);
    return gone ? (
      <NotFoundPage />
    ) : (
      <Failed what="The person" failure={person.error} onRetry={() => void person.refetch()} />
    );
  }
  if (person.data === undefined || me === undefined) return <Loading rows={6} label="the person" />;
  return (
    <>
      <PageHead title={person.data.name ?? person.data.assignee} back={{ to: "/people", word: "People" }} />
      <div className={listing.sheet}>
        <Head me={me} person={person.data} />
        <Roles me={me} person={person.data} />
        <Factors me={me} person={person.data} />
        <Access me={me} person={person.data} />
        <Work person={person.data} />
      </div>
    </>
  );
}

interface PartProps {
  readonly me: Me;
  readonly person: WholePerson;
}

function Head({ me, person }: PartProps): ReactNode {
  return (
    <header>
      <div className={styles.titleLine}>
        <h1 className={styles.title}>
          <OutsideText text={person.name ?? person.assignee} />
        </h1>
        <StatusMark status={`person_${person.status}`} />
      </div>
      <dl className={styles.facts}>
        <Fact word="User name">
          <OutsideText text={person.assignee} />
        </Fact>
        <Fact word="E-mail">{person.email === null ? "–" : <OutsideText text={person.email} />}</Fact>
        <Fact word="Here since">
          <Moment at={person.created_at} reachable />
        </Fact>
        <Fact word="Factor">{person.enrolled ? "enrolled" : "none yet"}</Fact>
      </dl>
      <PersonActs me={me} person={person} />
    </header>
  );
}

function Fact({ word, children }: { readonly word: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Roles({ me, person }: PartProps): ReactNode {
  return (
    <section className={listing.section} aria-labelledby="roles-title">
      <div className={listing.head}>
        <h2 id="roles-title" className={listing.title}>
          Roles
        </h2>
        {may(me, "org:role:assign") && me.person_id !== person.id && <RolesButton person={person} />}
      </div>
      {person.roles.length === 0 && <p className={listing.none}>None: this person sees what they are asked about.</p>}
      <ul className={listing.rows} aria-label="Roles">
        {person.roles.map(({ role, source }) => (
          <li key={`${role} ${source}`} className={listing.row}>
            <div className={listing.what}>
              <p className={listing.name}>{roleWord(role)}</p>
            </div>
            <span className={listing.badge}>{sourceWords(source)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const sources: Readonly<Record<string, string>> = {
  admin: "given by an administrator",
  setup: "first administrator",
  invitation: "given with the invitation",
  environment: "from the environment",
};

function sourceWords(source: string): string {
  if (source.startsWith("provider")) return "from the identity provider";
  if (source.startsWith("scim")) return "from the directory";
  return sources[source] ?? source;
}

function Factors({ me, person }: PartProps): ReactNode {
  return (
    <section className={listing.section} aria-labelledby="factors-title">
      <div className={listing.head}>
        <h2 id="factors-title" className={listing.title}>
          Passkeys and authenticators
        </h2>
      </div>
      {person.factors.length === 0 && <p className={listing.none}>None.</p>}
      <ul className={listing.rows} aria-label="Passkeys and authenticators">
        {byAge(person.factors).map((factor) => (
          <FactorRow key={factor.id} factor={factor}>
            {isCoolingDown(factor) && may(me, "org:factor:vouch") && me.person_id !== person.id && (
              <VouchButton person={person} factor={factor} />
            )}
          </FactorRow>
        ))}
      </ul>
    </section>
  );
}

function Access({ me, person }: PartProps): ReactNode {
  return (
    <>
      <section className={listing.section} aria-labelledby="identities-title">
        <div className={listing.head}>
          <h2 id="identities-title" className={listing.title}>
            Identities and names
          </h2>
          {may(me, "org:user:write") && me.person_id !== person.id && person.status !== "erased" && (
            <MoveNameButton person={person} />
          )}
        </div>
        {person.identities.length + person.aliases.length === 0 && <p className={listing.none}>None.</p>}
        <ul className={listing.rows} aria-label="Identities">
          {person.identities.map((identity) => (
            <IdentityLine key={identity.id} identity={identity} />
          ))}
          {person.aliases.map((alias) => (
            <li key={`${alias.name} ${alias.proof}`} className={listing.row}>
              <div className={listing.what}>
                <p className={listing.name}>
                  <OutsideText text={alias.name} />
                </p>
                <p className={listing.about}>a name that policies and requests use</p>
              </div>
              <span className={listing.badge}>{alias.proof}</span>
            </li>
          ))}
        </ul>
      </section>
      <section className={listing.section} aria-labelledby="sessions-title">
        <div className={listing.head}>
          <h2 id="sessions-title" className={listing.title}>
            Signed in
          </h2>
        </div>
        {person.sessions.length === 0 && <p className={listing.none}>Nowhere.</p>}
        <ul className={listing.rows} aria-label="Sessions">
          {person.sessions.map((session) => (
            <SessionLine key={session.id} session={session} />
          ))}
        </ul>
      </section>
    </>
  );
}

function Work({ person }: { readonly person: WholePerson }): ReactNode {
  return (
    <section className={listing.section} aria-labelledby="work-title">
      <div className={listing.head}>
        <h2 id="work-title" className={listing.title}>
          Open tasks and machines
        </h2>
      </div>
      {person.open_tasks.length + person.machines.length === 0 && (
        <p className={listing.none}>Nothing waits for this person, and no machine is theirs.</p>
      )}
      <ul className={listing.rows} aria-label="Open tasks and machines">
        {person.open_tasks.map((task) => (
          <li key={task.id} className={listing.row}>
            <div className={listing.what}>
              <p className={listing.name}>
                <Link to="/requests/$id" params={{ id: task.request_id }}>
                  <OutsideText text={taskName(task)} />
                </Link>
              </p>
              <p className={listing.about}>waits for this person</p>
            </div>
          </li>
        ))}
        {person.machines.map((machine) => (
          <li key={machine.id} className={listing.row}>
            <div className={listing.what}>
              <p className={listing.name}>
                <OutsideText text={machine.name} />
              </p>
              <p className={listing.about}>{machine.kind}, owned</p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function taskName(task: WholePerson["open_tasks"][number]): string {
  const named = `${task.artifact_type ?? ""} ${task.artifact_id ?? ""}`.trim();
  return named === "" ? `Request ${task.request_id}` : named;
}
