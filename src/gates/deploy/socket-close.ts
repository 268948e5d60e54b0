/**
 * One end of a WebSocket is gone: what is the other told? Implements docs/spec/deploy.md R-WS-3 to R-WS-5.
 */

/** Code null: a close frame without one. */
export interface SocketClose {
  readonly code: number | null;
  readonly reason: string;
}

/** How an end went: with a close frame, by TCP alone, or because it sent what may not be sent. */
export type SocketLoss =
  | { readonly kind: "closed"; readonly code: number; readonly reason: string }
  | { readonly kind: "dropped" }
  | { readonly kind: "too_large" };

export const accessRevoked: SocketClose = { code: 1008, reason: "access was revoked" };
export const lastedTooLong: SocketClose = { code: 1001, reason: "the longest duration is over" };
export const serverStops: SocketClose = { code: 1001, reason: "the gateway stops" };
export const messageTooLarge: SocketClose = { code: 1009, reason: "message is too large" };

const CONNECTION_LOST: SocketClose = { code: 1011, reason: "rack connection lost" };
const CLIENT_GONE: SocketClose = { code: 1001, reason: "" };
/** RFC 6455 7.4.1: there was a close frame, and no code in it. */
const NO_CODE = 1005;

/** `hasEnded`: its last message was the empty binary one, after which a real rack just hangs up. */
export function closeAfterRack(loss: SocketLoss, hasEnded: boolean): SocketClose {
  if (loss.kind === "dropped") return hasEnded ? { code: 1000, reason: "" } : CONNECTION_LOST;
  return passedOn(loss) ?? CONNECTION_LOST;
}

export function closeAfterClient(loss: SocketLoss): SocketClose {
  return loss.kind === "dropped" ? CLIENT_GONE : (passedOn(loss) ?? CLIENT_GONE);
}

/** Whether the reason of an abort says with what to close. */
export function isSocketClose(value: unknown): value is SocketClose {
  if (typeof value !== "object" || value === null || !("code" in value) || !("reason" in value)) return false;
  return (value.code === null || typeof value.code === "number") && typeof value.reason === "string";
}

/** Null for codes that speak of one hop alone, or that nobody may send. */
function passedOn(loss: Exclude<SocketLoss, { kind: "dropped" }>): SocketClose | null {
  if (loss.kind === "too_large") return messageTooLarge;
  const { code, reason } = loss;
  if (code === NO_CODE) return { code: null, reason: "" };
  return isPassedOn(code) ? { code, reason } : null;
}

function isPassedOn(code: number): boolean {
  return [1000, 1001, 1003].includes(code) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
