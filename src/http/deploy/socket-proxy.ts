/**
 * WebSockets to a rack: log streams and commands, behind the same checks as every call. The rack is dialled first, and only its 101 leads to
 * ours. Implements docs/spec/deploy.md R-WS-1, R-WS-5 and R-WS-6; what is carried is the rack port's.
 */
import { randomUUID } from "node:crypto";
import { judgeGatedRead, type AdmittedCall } from "../../app/deploy/admit-call.ts";
import type { CallAbout } from "../../app/deploy/call-entry.ts";
import { recordCall } from "../../app/deploy/call-records.ts";
import { isDeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import type { HeaderPair } from "../../gates/deploy/rack-headers.ts";
import type { RackAnswer, RackSocket, SocketEnd } from "../../ports/rack.ts";
import type { ServerOptions } from "../server-options.ts";
import type { AccessWatch } from "./access-watch.ts";
import type { ProxyCall } from "./proxy-call.ts";
import type { Upgrade } from "./proxy-exchange.ts";
import { elapsed, recordFailure } from "./proxy-direct.ts";
import { sendAnswer } from "./proxy-forward.ts";
import { admit, approvalHeader, askOf } from "./proxy-gated.ts";
import type { ReadRecords } from "./proxy-reads.ts";
import { proxyRefusal, ProxyRefused } from "./proxy-refusal.ts";

const HOUR = 3_600_000;
const LOGS_LAST_MS = 12 * HOUR;
const EXEC_LASTS_MS = 8 * HOUR;

export interface SocketParts {
  readonly options: ServerOptions;
  readonly reads: ReadRecords;
  readonly watch: AccessWatch;
}

export async function carrySocket(call: ProxyCall, upgrade: Upgrade, parts: SocketParts): Promise<void> {
  checkOrigin(call, parts.options);
  const isExec = call.match.route.gated === "process_exec";
  const opened = isExec ? await openExec(call) : await openLogs(call, parts.reads);
  const { about, headers, admitted } = opened;
  const approvals = about.approval === null || about.approval === "disabled" ? [] : [about.approval.requestId];
  await parts.watch.during(call, approvals, async (signal) => {
    const end = await carry(call, upgrade, {
      headers,
      admitted,
      signal,
      lastsMs: isExec ? EXEC_LASTS_MS : LOGS_LAST_MS,
      about,
    });
    if (isExec) await recordExec(call, about, end);
    else
      parts.reads.add(call.app, { about, figures: { status: end === null ? null : 101, durationMs: elapsed(call) } });
  });
}

/** A page of another site must not open one with a browser's help. */
function checkOrigin({ exchange }: ProxyCall, { browser }: ServerOptions): void {
  const { origin, host } = exchange.request.headers;
  if (origin === undefined || origin === browser.origin || hostOf(origin) === host) return;
  throw new ProxyRefused(proxyRefusal(403, "csrf_invalid", "invalid origin"));
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

interface Opened {
  readonly about: CallAbout;
  /** In place of what the client sent. */
  readonly headers: readonly HeaderPair[];
  readonly admitted: AdmittedCall | null;
}

async function openLogs(call: ProxyCall, reads: ReadRecords): Promise<Opened> {
  await reads.room();
  const headers = call.headers.forwarded;
  if (call.gated === null) return { about: call.about, headers, admitted: null };
  const admitted = await judgeGatedRead(call.app, askOf(call, ""));
  if (isDeployRefusal(admitted)) throw new ProxyRefused(admitted);
  return { about: admitted.about, headers, admitted };
}

/** Its start is an entry before the rack hears of it. */
async function openExec(call: ProxyCall): Promise<Opened> {
  const { headers, about, app } = call;
  if (call.gated === null) {
    const command = headers.options.get("Command");
    const figures = command === undefined ? {} : { command };
    await recordCall(app, ["call_intended", "process_exec_started"], about, figures);
    return { about, headers: headers.forwarded, admitted: null };
  }
  const admitted = await admit(call, "");
  const { permit } = admitted;
  if (permit.action !== "process_exec") throw new Error("an exec was admitted as something else (this is a bug)");
  const names = new Set([...headers.options.keys()].map((name) => name.toLowerCase()));
  const plain = headers.forwarded.filter(([name]) => !names.has(name.toLowerCase()));
  return { about: admitted.about, headers: [...plain, ...permit.options], admitted };
}

interface Carrying extends Opened {
  readonly lastsMs: number;
  readonly signal: AbortSignal;
}

/** Null where the rack opened none: its answer was passed on. */
async function carry(call: ProxyCall, upgrade: Upgrade, carrying: Carrying): Promise<SocketEnd | null> {
  const { exchange } = call;
  const { signal, lastsMs, admitted } = carrying;
  const dialled = await dial(call, carrying);
  const extra = admitted === null ? [] : approvalHeader(admitted);
  if (dialled.kind === "answer") {
    await sendAnswer(exchange, dialled, { headers: extra });
    return null;
  }
  // From here on the connection is the socket's; Node's answer to the handshake is never written.
  const { connection, head } = upgrade;
  exchange.release();
  return dialled.join(
    { request: exchange.raw, connection, head },
    { headers: [...extra, ["X-Request-Id", exchange.id]], lastsMs, signal },
  );
}

async function dial(call: ProxyCall, { headers, about }: Carrying): Promise<RackSocket | RackAnswer> {
  const { rack, exchange, match, query, actor } = call;
  const protocols = (exchange.raw.headers["sec-websocket-protocol"] ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  try {
    return await rack.dial({
      ...{ path: match.upstreamPath, query, headers, actor, requestId: randomUUID(), protocols },
      signal: exchange.gone,
    });
  } catch (error) {
    if (match.route.gated === "process_exec") await recordFailure({ ...call, about }, {}, error);
    throw error;
  }
}

/** Never the content (R-WS-6). */
async function recordExec(call: ProxyCall, about: CallAbout, end: SocketEnd | null): Promise<void> {
  const bytes = { bytes_to_rack: end?.bytesToRack ?? 0, bytes_from_rack: end?.bytesFromRack ?? 0 };
  await recordCall(call.app, ["process_exec_ended"], about, {
    ...{ exitCode: end?.exitCode ?? null, durationMs: elapsed(call), status: end === null ? null : 101 },
    more: { ...bytes, ended_by: end?.by ?? "rack", close_code: end?.close.code ?? null },
  });
}
