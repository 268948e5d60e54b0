/**
 * Carries messages between a client and a rack until both ends are closed. Implements docs/spec/deploy.md R-WS-2 to R-WS-5; what is
 * counted here goes into the entry of R-WS-6.
 */
import {
  accessRevoked,
  closeAfterClient,
  closeAfterRack,
  isSocketClose,
  lastedTooLong,
  type SocketClose,
} from "../../gates/deploy/socket-close.ts";
import type { SocketEnd } from "../../ports/rack.ts";
import { ExitTrailer } from "./exit-trailer.ts";
import type { SocketTimes } from "./rack-settings.ts";
import type { Sent, SocketHop } from "./socket-hop.ts";

export interface JoiningOptions {
  readonly lastsMs: number;
  readonly signal: AbortSignal;
  readonly times: SocketTimes;
}

/** A client that is null was gone before it got its 101. */
export function joinSockets(client: SocketHop | null, rack: SocketHop, options: JoiningOptions): Promise<SocketEnd> {
  const joint = new Joint(rack, options);
  if (client === null) joint.clientNeverCame();
  else joint.carry(client);
  return joint.ended;
}

class Joint {
  readonly ended: Promise<SocketEnd>;
  readonly #rack: SocketHop;
  readonly #options: JoiningOptions;
  readonly #trailer = new ExitTrailer();
  #client: SocketHop | null = null;
  #ending: Pick<SocketEnd, "by" | "close"> | null = null;
  #hasRackEnded = false;
  #bytesToRack = 0;
  #bytesFromRack = 0;
  #timers: NodeJS.Timeout[] = [];
  #settle: (end: SocketEnd) => void = () => undefined;

  constructor(rack: SocketHop, options: JoiningOptions) {
    this.#rack = rack;
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  clientNeverCame(): void {
    this.#watchRack();
    this.#end("client", closeAfterClient({ kind: "dropped" }));
  }

  carry(client: SocketHop): void {
    this.#client = client;
    const { signal, lastsMs, times } = this.#options;
    const ping = setInterval(() => {
      client.ping(times);
      this.#rack.ping(times);
    }, times.pingEvery);
    const limit = setTimeout(() => {
      this.#end("gate", lastedTooLong);
    }, lastsMs);
    this.#timers = [ping, limit];
    signal.addEventListener("abort", this.#onRevoked);
    client.watch({
      onMessage: (data, isBinary, { isLast }) => {
        if (this.#ending === null) this.#bytesToRack += data.length;
        this.#pass(data, { isBinary, isLast }, { from: client, to: this.#rack });
      },
      onLoss: (loss) => {
        this.#end("client", closeAfterClient(loss));
      },
    });
    this.#watchRack();
    if (signal.aborted) this.#onRevoked();
  }

  readonly #onRevoked = (): void => {
    const reason: unknown = this.#options.signal.reason;
    this.#end("gate", isSocketClose(reason) ? reason : accessRevoked);
  };

  #watchRack(): void {
    this.#rack.watch({
      onMessage: (data, isBinary, { isFirst, isLast }) => {
        if (this.#ending === null) this.#bytesFromRack += data.length;
        this.#hasRackEnded = isBinary && isFirst && isLast && data.length === 0;
        if (!isBinary) this.#trailer.receive(data);
        if (this.#client !== null) this.#pass(data, { isBinary, isLast }, { from: this.#rack, to: this.#client });
      },
      onLoss: (loss) => {
        this.#end("rack", closeAfterRack(loss, this.#hasRackEnded));
      },
    });
  }

  /** After the end nothing is passed on: the other side has been told. */
  #pass(data: Buffer, sent: Sent, { from, to }: { readonly from: SocketHop; readonly to: SocketHop }): void {
    if (this.#ending !== null) return;
    const hasRoom = to.send(data, sent, () => {
      if (this.#ending === null) from.goOn();
    });
    if (!hasRoom) from.holdUp();
  }

  #end(by: SocketEnd["by"], close: SocketClose): void {
    if (this.#ending === null) {
      this.#ending = { by, close };
      for (const timer of this.#timers) clearTimeout(timer);
      this.#options.signal.removeEventListener("abort", this.#onRevoked);
      const { closeWithin } = this.#options.times;
      this.#rack.close(close, closeWithin);
      this.#client?.close(close, closeWithin);
    }
    if (this.#rack.isGone && this.#client?.isGone !== false) this.#finish(this.#ending);
  }

  #finish(ending: Pick<SocketEnd, "by" | "close">): void {
    const { exitCode } = this.#trailer;
    this.#settle({ ...ending, exitCode, bytesToRack: this.#bytesToRack, bytesFromRack: this.#bytesFromRack });
  }
}
