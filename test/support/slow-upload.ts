/** An upload that the test sends piece by piece, and whose answer may come before its end. */
import { request, type ClientRequest } from "node:http";
import type { Answer } from "./http-call.ts";

export class SlowUpload {
  readonly answer: Promise<Answer>;
  readonly #sent: ClientRequest;

  constructor(base: string, path: string, headers: Readonly<Record<string, string>>) {
    const { hostname, port } = new URL(base);
    this.#sent = request({ hostname, port, method: "POST", path, headers, agent: false });
    this.answer = new Promise((resolve, reject) => {
      this.#sent.on("error", reject);
      this.#sent.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
    });
    // A server that has answered may hang up; the answer counts.
    this.answer.catch(() => undefined);
  }

  /** Resolves when the system has taken it. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#sent.write(bytes, () => {
        resolve();
      });
    });
  }

  finish(bytes: Uint8Array): Promise<Answer> {
    this.#sent.end(bytes);
    return this.answer;
  }
}
