/** With what did the command end? The rack's last text says so (docs/spec/deploy.md R-WS-6). */

const TRAILER = /F1E49A85-0AD7-4AEF-A618-C249C6E6568D:(\d{1,10})\r?\n?$/;
/** Longer than any trailer. */
const TAIL_BYTES = 64;

/** Keeps the end of a text, however it was cut, and nothing of its content beyond that. */
export class ExitTrailer {
  #tail = Buffer.alloc(0);

  receive(text: Buffer): void {
    const end = text.subarray(-TAIL_BYTES);
    this.#tail = Buffer.concat([end.length < TAIL_BYTES ? this.#tail : Buffer.alloc(0), end]).subarray(-TAIL_BYTES);
  }

  get exitCode(): number | null {
    const [, code] = TRAILER.exec(this.#tail.toString("latin1")) ?? [];
    return code === undefined ? null : Number(code);
  }
}
