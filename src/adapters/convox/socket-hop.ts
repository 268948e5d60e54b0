/**
 * One end of a carried WebSocket: what it sends, how it is held up, whether it is still there, how it went. Implements
 * docs/spec/deploy.md R-WS-2 to R-WS-5 for one side.
 */
import { WebSocket, type RawData } from "ws";
import type { SocketClose, SocketLoss } from "../../gates/deploy/socket-close.ts";
import { MESSAGE_BYTES_MAX, type MessagePart } from "./frame-cutter.ts";
import type { FramedConnection } from "./framed-connection.ts";
import type { SocketTimes } from "./rack-settings.ts";

export interface HopWatch {
  /** Large messages come in parts. */
  readonly onMessage: (data: Buffer, isBinary: boolean, part: MessagePart) => void;
  readonly onLoss: (loss: SocketLoss) => void;
}

/** Unsent bytes beyond which the other side is held up, and below which it goes on. */
const UNSENT_MAX = 1_048_576;
const UNSENT_LOW = 262_144;
const TOO_LARGE = "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
const PROTOCOL_ERROR = 1002;

export interface Sent {
  readonly isBinary: boolean;
  /** False where more of the message follows. */
  readonly isLast: boolean;
}

/** Nothing is compressed, nothing is checked for UTF-8, pings are answered; a close without an answer is cut off after a while. */
export function wireOptions(handshakeWithin: number): {
  readonly perMessageDeflate: false;
  readonly skipUTF8Validation: true;
  readonly maxPayload: number;
  readonly autoPong: true;
  readonly closeTimeout: number;
} {
  return {
    ...{ perMessageDeflate: false, skipUTF8Validation: true, maxPayload: MESSAGE_BYTES_MAX, autoPong: true },
    closeTimeout: handshakeWithin,
  };
}

/** Stands still from the beginning, so that nothing is lost before it is watched. */
export class SocketHop {
  readonly #socket: WebSocket;
  #watch: HopWatch | null = null;
  #loss: SocketLoss | null = null;
  #isTooLarge = false;
  #isHeldUp = true;
  #unanswered = 0;
  #onRoom: (() => void) | null = null;

  /** `connection` is the one that the socket reads. */
  constructor(socket: WebSocket, connection: FramedConnection) {
    this.#socket = socket;
    socket.pause();
    socket.on("message", (data, isBinary) => {
      const part = connection.takePart();
      this.#watch?.onMessage(bufferOf(data), isBinary, part);
    });
    socket.on("pong", () => {
      this.#unanswered = 0;
    });
    socket.on("error", (error) => {
      this.#isTooLarge ||= "code" in error && error.code === TOO_LARGE;
    });
    socket.on("close", (code, reason) => {
      this.#loss = this.#lossOf(code, reason);
      this.#watch?.onLoss(this.#loss);
    });
  }

  watch(watch: HopWatch): void {
    this.#watch = watch;
    if (this.#loss === null) this.goOn();
    else watch.onLoss(this.#loss);
  }

  get isGone(): boolean {
    return this.#loss !== null;
  }

  /** False once more than a MiB is unsent; `onRoom` is then called when there is room again. */
  send(data: Buffer, { isBinary, isLast }: Sent, onRoom: () => void): boolean {
    this.#socket.send(data, { binary: isBinary, fin: isLast }, () => {
      this.#noticeRoom();
    });
    if (this.#socket.bufferedAmount <= UNSENT_MAX) return true;
    this.#onRoom = onRoom;
    return false;
  }

  /** Nothing more is read from it for the time being. */
  holdUp(): void {
    this.#isHeldUp = true;
    this.#socket.pause();
  }

  goOn(): void {
    this.#isHeldUp = false;
    this.#socket.resume();
  }

  /** Calls forward if it did not answer for too long; who is held up is not heard either, and is let off. */
  ping({ pingEvery, pongWithin }: SocketTimes): void {
    if (this.#isHeldUp) this.#unanswered = 0;
    if (this.#unanswered * pingEvery >= pongWithin) {
      this.#socket.terminate();
    } else if (this.#socket.readyState === WebSocket.OPEN) {
      this.#unanswered += 1;
      this.#socket.ping();
    }
  }

  /** What was sent before goes out first, as far as there is time; then it is cut off. */
  close({ code, reason }: SocketClose, within: number): void {
    if (this.isGone) return;
    // A socket that stands still would not hear the answer to its close frame.
    this.goOn();
    if (code === null) this.#socket.close();
    else this.#socket.close(code, reason);
    const timer = setTimeout(() => {
      this.#socket.terminate();
    }, within);
    this.#socket.once("close", () => {
      clearTimeout(timer);
    });
  }

  #noticeRoom(): void {
    if (this.#onRoom === null || this.#socket.bufferedAmount > UNSENT_LOW) return;
    const onRoom = this.#onRoom;
    this.#onRoom = null;
    onRoom();
  }

  #lossOf(code: number, reason: Buffer): SocketLoss {
    if (this.#isTooLarge) return { kind: "too_large" };
    const isFrame = code !== 1006 && code !== PROTOCOL_ERROR;
    return isFrame ? { kind: "closed", code, reason: reason.toString("utf8") } : { kind: "dropped" };
  }
}

function bufferOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
