/**
 * The headers of a call to a rack: what the caller passed on, and what only the gate may say. Implements docs/spec/deploy.md R-PROXY-5.
 */
import { headerOfText } from "../../gates/deploy/header-text.ts";
import type { HeaderPair } from "../../gates/deploy/rack-headers.ts";
import type { RackActor } from "../../ports/rack.ts";
import type { RackSettings } from "./rack-settings.ts";

export interface Approach {
  readonly headers: readonly HeaderPair[];
  readonly actor: RackActor;
  readonly requestId: string;
}

/** Set here or by HTTP itself: whatever a caller passes under these names is dropped. */
const OURS: ReadonlySet<string> = new Set([
  ...["authorization", "convox-actor", "x-convox-actor", "x-user-email", "x-request-id", "host", "content-length"],
  ...["connection", "transfer-encoding", "upgrade", "expect", "origin", "cookie"],
]);
const CONTROLS = /[\u0000-\u001f\u007f]/g;

export function approachHeaders({ username, token }: RackSettings, approach: Approach): readonly HeaderPair[] {
  const { actor, requestId, headers } = approach;
  return [
    ...headers.filter(([name]) => !OURS.has(name.toLowerCase()) && !name.toLowerCase().startsWith("sec-websocket-")),
    ["Authorization", `Basic ${Buffer.from(`${username}:${token}`).toString("base64")}`],
    ["X-Request-Id", requestId],
    ["X-User-Email", headerOfText(actor.email.replaceAll(CONTROLS, ""))],
    ["Convox-Actor", headerOfText(actor.name.replaceAll(CONTROLS, ""))],
  ];
}
