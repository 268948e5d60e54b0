import { useSyncExternalStore } from "react";

import { organizationHeader } from "../api/chosen-organization.ts";
import { observeServerTime, serverNow } from "../api/server-clock.ts";
import type { Answer } from "../api/read.ts";
import { nullable, object, orElse, text } from "../api/read.ts";
import type { ServerSentEvent } from "./server-sent-events.ts";
import { readServerSentEvents } from "./server-sent-events.ts";

/**
 * R-CON-6: one event stream per page. When it is lost the page says so and since when, and lists are polled until it is back.
 * Read with fetch rather than EventSource: a silent stream (no comment for 40 s) is noticed, and every event type arrives.
 */
const readLiveEvent = object({
  event_type: text,
  request_id: nullable(text),
  status: nullable(text),
  actor: nullable(text),
  artifact_type: orElse(text, ""),
  artifact_id: orElse(text, ""),
});
export type LiveEvent = Answer<typeof readLiveEvent>;

export type LiveState =
  { readonly kind: "connecting" } | { readonly kind: "live" } | { readonly kind: "lost"; readonly since: number };

export interface LiveHandlers {
  readonly onEvent: (event: LiveEvent) => void;
  /** Anything may have been missed: read everything on the screen again. */
  readonly onGap: () => void;
}

const silenceLimitMilliseconds = 40_000;
const pollMilliseconds = 15_000;
const retryMilliseconds = { least: 1_000, most: 15_000 };

let state: LiveState = { kind: "connecting" };
const listeners = new Set<() => void>();

function become(next: LiveState): void {
  if (next.kind === "lost" && state.kind === "lost") return;
  state = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(subscribe, () => state);
}

/** Follows the stream until the returned function is called. */
export function followLiveStream(handlers: LiveHandlers): () => void {
  const ended = new AbortController();
  void keepConnected(handlers, ended.signal);
  const poll = setInterval(() => {
    if (state.kind === "lost") handlers.onGap();
  }, pollMilliseconds);
  return () => {
    clearInterval(poll);
    ended.abort();
    become({ kind: "connecting" });
  };
}

async function keepConnected(handlers: LiveHandlers, ended: AbortSignal): Promise<void> {
  let lastId = "";
  let wait = retryMilliseconds.least;
  while (!ended.aborted) {
    const attempt = attemptUntil(ended);
    try {
      await readOnce(attempt, lastId, {
        refused: handlers.onGap,
        opened: () => {
          wait = retryMilliseconds.least;
          become({ kind: "live" });
          handlers.onGap();
        },
        received: (event) => {
          if (event.id !== "") lastId = event.id;
          const live = parse(event);
          if (live !== null) handlers.onEvent(live);
        },
      });
    } catch {
      // Any end of the stream is handled the same way: say so, wait, connect again.
    }
    attempt.abort();
    await waitLost(wait, ended);
    wait = Math.min(wait * 2, retryMilliseconds.most);
  }
}

async function waitLost(milliseconds: number, ended: AbortSignal): Promise<void> {
  if (ended.aborted) return;
  become({ kind: "lost", since: serverNow() });
  await pause(milliseconds, ended);
}

interface Attempt {
  readonly signal: AbortSignal;
  readonly heard: () => void;
  readonly abort: () => void;
}

function attemptUntil(ended: AbortSignal): Attempt {
  const controller = new AbortController();
  const abort = (): void => {
    clearTimeout(silence);
    ended.removeEventListener("abort", abort);
    window.removeEventListener("offline", abort);
    controller.abort();
  };
  let silence = setTimeout(abort, silenceLimitMilliseconds);
  ended.addEventListener("abort", abort);
  window.addEventListener("offline", abort);
  const heard = (): void => {
    clearTimeout(silence);
    silence = setTimeout(abort, silenceLimitMilliseconds);
  };
  return { signal: controller.signal, heard, abort };
}

interface Listening {
  /** Nobody is signed in any more: reading anything else says so to the page at once. */
  readonly refused: () => void;
  readonly opened: () => void;
  readonly received: (event: ServerSentEvent) => void;
}

async function readOnce(attempt: Attempt, lastId: string, listening: Listening): Promise<void> {
  const response = await fetch("/v1/events", {
    signal: attempt.signal,
    credentials: "same-origin",
    headers: {
      Accept: "text/event-stream",
      ...organizationHeader(),
      ...(lastId === "" ? {} : { "Last-Event-ID": lastId }),
    },
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    if (response.status === 401) listening.refused();
    return;
  }
  observeServerTime(response.headers.get("Date"));
  listening.opened();
  await readServerSentEvents(response.body, { heard: attempt.heard, received: listening.received });
}

function parse(event: ServerSentEvent): LiveEvent | null {
  try {
    return readLiveEvent(JSON.parse(event.data), event.name);
  } catch {
    return null;
  }
}

function pause(milliseconds: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      ended.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    window.addEventListener("online", done);
    ended.addEventListener("abort", done);
  });
}
