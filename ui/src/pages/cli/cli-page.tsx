import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";

import { meQuery, shownName } from "../../api/session.ts";
import type { TerminalSignIn } from "../../api/sign-in.ts";
import { authorizeTerminal, authorizeWaiting, waitingTerminal } from "../../api/sign-in.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { clockWords } from "../../parts/durations.ts";
import { OneTimeText } from "../../parts/one-time-text.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { serverNow } from "../../api/server-clock.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { EntryFrame } from "../../shell/entry-frame.tsx";
import styles from "./cli-page.module.css";
import { terminalOf } from "./cli-search.ts";
import { userCode } from "./user-code.ts";

/** Letting a terminal in: what asks, and a code that only the right terminal shows (identity R-TERM-1). */
export function CliPage(): ReactNode {
  const search = useSearch({ from: "/cli" });
  const terminal = terminalOf(search);
  const [refused, setRefused] = useState(false);
  if (terminal === null && search.waiting === undefined) {
    return (
      <EntryFrame title="Terminal sign-in">
        <p>
          This address is not one that a terminal makes. Start again with <code>countersign login</code>.
        </p>
      </EntryFrame>
    );
  }
  const onRefused = (): void => {
    setRefused(true);
  };
  if (refused) {
    return (
      <EntryFrame title="Nothing was let in">
        <p>
          The link is of no use to anybody now unless you open it again and let the terminal in. If you did not start
          this yourself, somebody else tried to sign in as you: tell your administrators.
        </p>
        <Link to="/inbox" className={controls.button}>
          Go to the inbox
        </Link>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="A terminal wants to act as you">
      {terminal === null ? (
        <WaitingQuestion state={search.waiting ?? ""} onRefused={onRefused} />
      ) : (
        <Question terminal={terminal} onRefused={onRefused} />
      )}
    </EntryFrame>
  );
}

interface QuestionProps {
  readonly terminal: TerminalSignIn;
  readonly onRefused: () => void;
}

function Question({ terminal, onRefused }: QuestionProps): ReactNode {
  const me = useQuery(meQuery).data;
  const [openedAt] = useState(serverNow);
  const authorizing = useMutation({
    mutationFn: () => authorizeTerminal(terminal),
    onSuccess: ({ redirect }) => {
      if (redirect !== null && isLoopback(redirect)) window.location.assign(redirect);
    },
  });
  const answer = authorizing.data;
  if (answer?.code != null) {
    return (
      <OneTimeText what="code" text={answer.code}>
        <p>Type or paste this code into the terminal within a minute. It works once, and only there.</p>
      </OneTimeText>
    );
  }
  if (answer !== undefined) {
    return <p>The terminal is signed in. You can close this page.</p>;
  }
  const where = terminal.port === null ? "; it has no browser" : `; answers at 127.0.0.1:${String(terminal.port)}`;
  return (
    <Asked
      facts={[
        { word: "What asks", text: terminal.client },
        { word: "Where, as it says", text: terminal.host + where },
        { word: "When", text: clockWords(openedAt) },
        { word: "It will act as", text: me === undefined ? "" : shownName(me) },
      ]}
      code={userCode(terminal.code_challenge)}
      failure={authorizing.error}
      busy={authorizing.isPending}
      onAuthorize={authorizing.mutate}
      onRefused={onRefused}
    />
  );
}

interface WaitingQuestionProps {
  readonly state: string;
  readonly onRefused: () => void;
}

/** A terminal of the older kind is let in only where it stands: from the same address as this browser. */
function WaitingQuestion({ state, onRefused }: WaitingQuestionProps): ReactNode {
  const me = useQuery(meQuery).data;
  const waiting = useQuery({
    queryKey: ["waiting-terminal", state],
    queryFn: () => waitingTerminal(state),
    retry: false,
  });
  const authorizing = useMutation({ mutationFn: () => authorizeWaiting(state) });
  if (waiting.isError) return <Failed what="The terminal" failure={waiting.error} />;
  if (waiting.data === undefined) return <Loading rows={3} label="the terminal" />;
  if (authorizing.isSuccess) return <p>The terminal is signed in. You can close this page.</p>;
  const { address, client, started_at: startedAt, same_address: here, user_code: code } = waiting.data;
  if (!here) {
    return (
      <p>
        This terminal is at <OutsideText text={address} />, and you are not: it cannot be let in from here. If you did
        not start it, somebody else did.
      </p>
    );
  }
  return (
    <Asked
      facts={[
        { word: "What asks", text: client },
        { word: "From", text: `${address}, as you` },
        { word: "When", text: clockWords(Date.parse(startedAt)) },
        { word: "It will act as", text: me === undefined ? "" : shownName(me) },
      ]}
      code={code}
      failure={authorizing.error}
      busy={authorizing.isPending}
      onAuthorize={authorizing.mutate}
      onRefused={onRefused}
    />
  );
}

interface AskedProps {
  readonly facts: readonly { readonly word: string; readonly text: string }[];
  readonly code: string;
  readonly failure: Error | null;
  readonly busy: boolean;
  readonly onAuthorize: () => void;
  readonly onRefused: () => void;
}

function Asked({ facts, code, failure, busy, onAuthorize, onRefused }: AskedProps): ReactNode {
  return (
    <>
      <dl className={styles.facts}>
        {facts.map(({ word, text }) => (
          <div key={word} className={styles.fact}>
            <dt>{word}</dt>
            <dd>
              <OutsideText text={text} />
            </dd>
          </div>
        ))}
      </dl>
      <div className={styles.match}>
        <p id="user-code-question">Does your terminal show this code?</p>
        <output className={styles.code} aria-labelledby="user-code-question">
          {code}
        </output>
      </div>
      <RefusedNote failure={failure} />
      <div className={styles.buttons}>
        <button type="button" className={controls.button} onClick={onRefused}>
          Not me
        </button>
        <button
          type="button"
          className={classNames(controls.button, controls.primary)}
          aria-disabled={busy}
          onClick={() => {
            if (!busy) onAuthorize();
          }}
        >
          Authorize this terminal
        </button>
      </div>
    </>
  );
}

/** The code goes to this machine only. */
function isLoopback(address: string): boolean {
  return URL.canParse(address) && /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/.test(new URL(address).origin);
}
