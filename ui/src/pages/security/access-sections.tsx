import { useMutation, useQuery } from "@tanstack/react-query";
import type { UseQueryResult } from "@tanstack/react-query";
import { LaptopIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Identity, SignedIn, TrustedDevice } from "../../api/own-access.ts";
import { endOtherSessions, endOwn, useOwnDevices, useOwnIdentities, useOwnSessions } from "../../api/own-access.ts";
import { signInOptionsQuery, startLinking } from "../../api/sign-in.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { IdentityLine, Line, SessionLine } from "./access-lines.tsx";

interface SectionProps<T> {
  readonly id: string;
  readonly title: string;
  readonly none: string;
  readonly items: UseQueryResult<readonly T[]>;
  readonly row: (item: T) => ReactNode;
  readonly children?: ReactNode;
}

function Section<T>({ id, title, none, items, row, children }: SectionProps<T>): ReactNode {
  return (
    <section className={listing.section} aria-labelledby={id}>
      <div className={listing.head}>
        <h2 id={id} className={listing.title}>
          {title}
        </h2>
        {children}
      </div>
      {items.isError && <Failed what={title} failure={items.error} onRetry={() => void items.refetch()} />}
      {items.isPending && <Loading rows={1} label={title} />}
      {items.data?.length === 0 && <p className={listing.none}>{none}</p>}
      {items.data !== undefined && items.data.length > 0 && (
        <ul className={listing.rows} aria-label={title}>
          {items.data.map(row)}
        </ul>
      )}
    </section>
  );
}

interface EndButtonProps {
  readonly word: string;
  readonly title: string;
  readonly follows: string;
  readonly done: string;
  readonly act: () => Promise<unknown>;
}

function EndButton({ word, title, follows, done, act }: EndButtonProps): ReactNode {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button
        type="button"
        className={classNames(controls.button, controls.small, controls.quiet)}
        onClick={() => {
          setAsking(true);
        }}
      >
        {word}
      </button>
      {asking && (
        <ActSheet
          title={title}
          verb={word}
          destructive
          done={done}
          act={act}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>{follows}</p>
        </ActSheet>
      )}
    </>
  );
}

export function SessionsSection(): ReactNode {
  const sessions = useOwnSessions();
  return (
    <Section
      id="sessions-title"
      title="Where you are signed in"
      none="Nowhere else."
      items={sessions}
      row={(session) => <SessionRow key={session.id} session={session} />}
    >
      {(sessions.data?.length ?? 0) > 1 && (
        <EndButton
          word="Sign out everywhere else"
          title="Sign out everywhere else"
          follows="Every other browser and terminal of yours has to sign in again."
          done="Signed out everywhere else."
          act={endOtherSessions}
        />
      )}
    </Section>
  );
}

function SessionRow({ session }: { readonly session: SignedIn }): ReactNode {
  return (
    <SessionLine session={session}>
      {!session.current && (
        <EndButton
          word="Sign out"
          title="Sign out there"
          follows={`${session.client ?? "That place"} has to sign in again.`}
          done="Signed out there."
          act={() => endOwn("sessions", session.id)}
        />
      )}
    </SessionLine>
  );
}

export function DevicesSection(): ReactNode {
  return (
    <Section
      id="devices-title"
      title="Trusted browsers"
      none="None. A browser that you trust asks for no code at sign-in; decisions ask all the same."
      items={useOwnDevices()}
      row={(device: TrustedDevice) => (
        <Line
          key={device.id}
          icon={LaptopIcon}
          name={device.browser ?? "unknown browser"}
          acts={
            <EndButton
              word="Forget"
              title="Forget this browser"
              follows="It asks for a code again at the next sign-in."
              done="The browser is forgotten."
              act={() => endOwn("devices", device.id)}
            />
          }
        >
          <span>
            until <Moment at={device.expires_at} reachable />
          </span>
          {device.last_used_at !== null && (
            <span>
              used <Moment at={device.last_used_at} reachable />
            </span>
          )}
        </Line>
      )}
    />
  );
}

export function IdentitiesSection(): ReactNode {
  return (
    <Section
      id="identities-title"
      title="Linked identities"
      none="None. Nobody else vouches for who you are."
      items={useOwnIdentities()}
      row={(identity: Identity) => (
        <IdentityLine key={identity.id} identity={identity}>
          <EndButton
            word="Unlink"
            title="Unlink identity"
            follows="You can no longer sign in with it. Keep another way to sign in."
            done="The identity is unlinked."
            act={() => endOwn("identities", identity.id)}
          />
        </IdentityLine>
      )}
    >
      <LinkButtons />
    </Section>
  );
}

/** Linking goes through a complete sign-in at the provider, in this browser. */
function LinkButtons(): ReactNode {
  const providers = useQuery(signInOptionsQuery).data?.providers ?? [];
  const linking = useMutation({
    mutationFn: (provider: string) => startLinking(provider, "/app/security"),
    onSuccess: (url) => {
      window.location.assign(url);
    },
  });
  if (providers.length === 0) return null;
  return (
    <>
      <div className={listing.acts}>
        {providers.map((provider) => (
          <button
            key={provider.id}
            type="button"
            className={controls.button}
            aria-disabled={linking.isPending}
            onClick={() => {
              linking.mutate(provider.id);
            }}
          >
            Link <OutsideText text={provider.name} />
          </button>
        ))}
      </div>
      <RefusedNote failure={linking.error} />
    </>
  );
}
