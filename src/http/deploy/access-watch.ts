/**
 * Does whoever opened a WebSocket, or uploads, still have access? Asked again while it lasts, after every change and every few seconds
 * (docs/spec/deploy.md R-WS-5, R-STATE-9, R-LOGIN-3). The end of an approval's window does not end it; taking the approval back does.
 */
import { GATE_VIEWER } from "../../app/deploy/gate-viewer.ts";
import { isId, type RequestId } from "../../core/ids.ts";
import { permits } from "../../core/permission.ts";
import { accessRevoked, serverStops, type SocketClose } from "../../gates/deploy/socket-close.ts";
import { Unavailable } from "../../ports/unavailable.ts";
import type { Caller } from "../authorized.ts";
import { authenticate } from "../credentials.ts";
import type { ServerOptions } from "../server-options.ts";
import type { ProxyCall } from "./proxy-call.ts";

/** Access that ends without a change, by its time alone, is noticed within five seconds, the question included. */
const EVERY_MS = 4_500;
/** Many changes at once are one question. */
const AFTER_CHANGE_MS = 250;

interface Watched {
  readonly call: ProxyCall;
  readonly requestIds: readonly RequestId[];
  readonly end: AbortController;
}

export class AccessWatch {
  readonly #options: ServerOptions;
  readonly #watched = new Set<Watched>();
  /** Of the sockets. */
  readonly #ends = new Set<Promise<unknown>>();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | null = null;
  #dueAt = Infinity;
  #isClosed = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#unsubscribe = options.events.subscribe(() => {
      this.#schedule(AFTER_CHANGE_MS);
    });
  }

  /**
   * Runs it with a signal that is aborted when access is gone, and a WebSocket's when the server stops: an upload may finish then.
   * `requests`: of the approvals that it may be under, one of which has to stand; none where the caller needs none.
   */
  async during<Answer>(
    call: ProxyCall,
    requests: readonly string[],
    act: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    const end = new AbortController();
    const requestIds = requests.flatMap((id) => (isId<"request">(id) ? [id] : []));
    const watched: Watched = { call, requestIds, end };
    this.#watched.add(watched);
    if (this.#isClosed && call.exchange.isSocket) end.abort(serverStops);
    this.#schedule(EVERY_MS);
    const acting = act(end.signal);
    if (call.exchange.isSocket) this.#ends.add(acting);
    try {
      return await acting;
    } finally {
      this.#watched.delete(watched);
      this.#ends.delete(acting);
    }
  }

  /** Every socket ends, and is waited for; uploads are the server's to wait for. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const { call, end } of this.#watched) {
      if (call.exchange.isSocket) end.abort(serverStops);
    }
    await Promise.allSettled(this.#ends);
  }

  #schedule(milliseconds: number): void {
    const dueAt = performance.now() + milliseconds;
    if (this.#watched.size === 0 || dueAt >= this.#dueAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#dueAt = Infinity;
      void this.#look();
    }, milliseconds);
  }

  async #look(): Promise<void> {
    await Promise.all(
      [...this.#watched].map(async ({ call, requestIds, end }) => {
        const close = await this.#lost(call, requestIds);
        if (close !== null) end.abort(close);
      }),
    );
    this.#schedule(EVERY_MS);
  }

  /** While the database is away nobody can tell: what was open stays open. An answer that cannot be had otherwise ends it. */
  async #lost(call: ProxyCall, requestIds: readonly RequestId[]): Promise<SocketClose | null> {
    try {
      return (await this.#hasAccess(call, requestIds)) ? null : accessRevoked;
    } catch (error) {
      if (error instanceof Unavailable) return null;
      call.exchange.request.log.error({ err: error }, "whether access still stands could not be found out");
      return accessRevoked;
    }
  }

  async #hasAccess(call: ProxyCall, requestIds: readonly RequestId[]): Promise<boolean> {
    const { address, userAgent, request } = call.exchange;
    const now = await authenticate(request, this.#options, { address, userAgent });
    if (!("caller" in now) || !isStillIn(call, now.caller) || !isStillHeld(call, now.caller)) return false;
    if (requestIds.length === 0) return true;
    const { app } = now.caller;
    return (await Promise.all(requestIds.map((id) => isStillApproved(app, id)))).includes(true);
  }
}

/** On this rack, and for this app. */
function isStillIn({ rack, appName }: ProxyCall, { app, limits }: Caller): boolean {
  const { name } = rack.info;
  if (app.deploy.racks.find(name)?.info.enabled !== true || limits?.racks?.includes(name) === false) return false;
  return appName === "" || limits?.apps?.includes(appName) !== false;
}

/**
 * Whoever may do it by themselves may under an approval; and where there is one, or approvals are switched off, the permission
 * for approved deploys is enough.
 */
function isStillHeld({ gated, match, about }: ProxyCall, { actor }: Caller): boolean {
  const { permission, permissionToo } = match.route;
  const needed = permissionToo === null ? [permission] : [permission, permissionToo];
  if (needed.every((each) => permits(actor.permissions, each))) return true;
  return (gated !== null || about.approval === "disabled") && permits(actor.permissions, WITH_APPROVAL);
}

async function isStillApproved({ reader }: Pick<ProxyCall["app"], "reader">, requestId: RequestId): Promise<boolean> {
  const approved = await reader.request(requestId, GATE_VIEWER);
  return approved?.status === "approved" && approved.grant?.state !== "revoked";
}

const WITH_APPROVAL = "convox:deploy:deploy_with_approval";
