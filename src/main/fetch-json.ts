/** JSON from an identity provider: bounded in time and size, redirects not followed. */
import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";

const TIMEOUT_MS = 5_000;
const BYTES_MAX = 1024 * 1024;

/** `verify` false accepts any certificate; only for a provider whose certificate cannot be known. */
export function fetchJson(url: string, verify: boolean): Promise<unknown> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return new Promise((resolve, reject) => {
    const headers = { accept: "application/json" };
    const isPlain = url.startsWith("http:");
    const call = isPlain
      ? requestPlain(url, { headers, signal })
      : requestSecure(url, { headers, signal, rejectUnauthorized: verify });
    call.on("error", reject);
    call.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("error", reject);
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > BYTES_MAX) call.destroy(new Error(`${url} answered more than ${String(BYTES_MAX)} bytes`));
        else chunks.push(chunk);
      });
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        if (status < 200 || status > 299) reject(new Error(`${url} answered ${String(status)}`));
        else resolve(parse(Buffer.concat(chunks).toString("utf8"), url, reject));
      });
    });
    call.end();
  });
}

function parse(text: string, url: string, reject: (error: Error) => void): unknown {
  try {
    return JSON.parse(text);
  } catch {
    reject(new Error(`${url} did not answer JSON`));
    return undefined;
  }
}
