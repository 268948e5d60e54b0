import { useQueryClient } from "@tanstack/react-query";
import { useLocation, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useEffect, useRef, useState } from "react";

import { lastHeardAt } from "../api/server-clock.ts";
import type { Me } from "../api/session.ts";
import { meQuery } from "../api/session.ts";
import { classNames } from "../look/class-names.ts";
import { announce } from "../parts/announcer.tsx";
import controls from "../parts/controls.module.css";
import { clockWords } from "../parts/durations.ts";
import { Sheet } from "../parts/sheet.tsx";
import { useTicking } from "../parts/ticking-clock.ts";
import styles from "./session-end.module.css";

const warnedMilliseconds = 2 * 60 * 1_000;

/**
 * R-A11Y-3: two minutes before the session ends the person is warned, and one key keeps it. A session that cannot be kept
 * any longer is renewed by signing in again; what was typed is still there afterwards.
 */
export function SessionEnd({ me }: { readonly me: Me }): ReactNode {
  const [readAt] = useReadAt(me);
  const idleSpan = span(me.session?.idle_expires_at ?? null, readAt);
  const absolute = instant(me.session?.expires_at ?? null);
  const [dismissed, setDismissed] = useState<number | null>(null);
  // Every answer of the server moves the idle end on; the absolute end stays.
  const ending = useTicking((now) => {
    const idle = idleSpan === null ? Number.POSITIVE_INFINITY : lastHeardAt() + idleSpan;
    const end = Math.min(idle, absolute ?? Number.POSITIVE_INFINITY);
    return end - now < warnedMilliseconds
      ? idle < (absolute ?? Number.POSITIVE_INFINITY)
        ? "idle"
        : "absolute"
      : "far";
  });
  if (ending === "far" || (ending === "absolute" && dismissed === absolute)) return null;
  return (
    <Warning
      kept={ending === "idle"}
      end={ending === "idle" ? lastHeardAt() + (idleSpan ?? 0) : (absolute ?? 0)}
      onDismiss={() => {
        setDismissed(absolute);
      }}
    />
  );
}

interface WarningProps {
  readonly kept: boolean;
  readonly end: number;
  readonly onDismiss: () => void;
}

function Warning({ kept, end, onDismiss }: WarningProps): ReactNode {
  const client = useQueryClient();
  const navigate = useNavigate();
  const here = useLocation({ select: (location) => location.href });
  const [shownEnd] = useState(end);
  const said = useRef(false);
  useEffect(() => {
    if (said.current) return;
    said.current = true;
    announce("Your session ends in less than two minutes.");
  }, []);
  const stay = (): void => {
    void client.refetchQueries({ queryKey: meQuery.queryKey, exact: true });
  };
  return (
    <Sheet title="Your session is about to end" onClose={kept ? stay : onDismiss}>
      <p>
        It ends at <time>{clockWords(shownEnd)}</time>
        {kept ? " because nothing was done here for a while." : ", the longest that one sign-in lasts."} What you have
        typed stays.
      </p>
      <div className={styles.buttons}>
        {kept ? (
          <button type="button" autoFocus className={classNames(controls.button, controls.primary)} onClick={stay}>
            Stay signed in
          </button>
        ) : (
          <>
            <button type="button" className={controls.button} onClick={onDismiss}>
              Later
            </button>
            <button
              type="button"
              autoFocus
              className={classNames(controls.button, controls.primary)}
              onClick={() => void navigate({ to: "/sign-in", search: { next: here } })}
            >
              Sign in again
            </button>
          </>
        )}
      </div>
    </Sheet>
  );
}

/** When this Me was read, by the server's clock: its idle end is so much later than that. */
function useReadAt(me: Me): readonly [number] {
  const [state, setState] = useState({ me, at: lastHeardAt() });
  if (state.me !== me) setState({ me, at: lastHeardAt() });
  return [state.at];
}

function span(end: string | null, readAt: number): number | null {
  const at = instant(end);
  return at === null ? null : at - readAt;
}

function instant(time: string | null): number | null {
  const at = time === null ? Number.NaN : Date.parse(time);
  return Number.isNaN(at) ? null : at;
}
