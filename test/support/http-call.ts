/** One call over the wire, exactly as given: no client library that repairs headers, bodies or paths on the way. */
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { request, type IncomingHttpHeaders } from "node:http";

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A server may answer and close before it has read all of a large body: what it said counts. */
export function callOver(base: string, { method, path, headers = {}, body }: Call): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
    const sent = request({ hostname, port, method, path, headers: { ...length, ...headers }, agent: false });
    let answered = false;
    sent.on("error", (error) => {
      if (!answered) reject(error);
    });
    sent.on("response", (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      const settle = (): void => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      };
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", settle);
      response.on("error", settle);
    });
    sent.end(body);
  });
}

/** Sends these very bytes and reads until the server closes. */
export async function exchangeBytes(base: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(base);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(bytes, "latin1");
  return text(socket);
}

export function jsonOf(answer: Answer): unknown {
  return JSON.parse(answer.text);
}

/** `200`, or `403 forbidden`; of a stream only the beginning is read. */
export function statusAndCode(base: string, { method, path, headers = {}, body }: Call): Promise<string> {
  const { hostname, port } = new URL(base);
  const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers: { ...length, ...headers }, agent: false });
    sent.on("error", reject);
    sent.on("response", (response) => {
      const status = String(response.statusCode);
      if (response.headers["content-type"]?.startsWith("text/event-stream") === true) {
        response.destroy();
        resolve(status);
        return;
      }
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        resolve([status, ...codeIn(Buffer.concat(chunks).toString("utf8"))].join(" "));
      });
    });
    sent.end(body);
  });
}

function codeIn(text: string): readonly string[] {
  const code = /"code":"([a-z_]+)"/.exec(text.startsWith("{") ? text : "")?.[1];
  return code === undefined || !/"(?:trace|request_id)":/.test(text) ? [] : [code];
}
