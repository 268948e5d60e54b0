/** Where the browser comes back to: one address on this machine, for one answer that carries our state (RFC 8252, R-TERM-1). */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Unreachable } from "../client/api-refusal.ts";

export interface Callback {
  readonly port: number;
  readonly code: Promise<string>;
  close(): Promise<void>;
}

/** States die after ten minutes (R-TERM-3). */
const WAIT_MS = 600_000;

export async function awaitCallback(state: string): Promise<Callback> {
  let settle: (code: string) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const code = new Promise<string>((resolve, reject) => {
    [settle, fail] = [resolve, reject];
  });
  // Whoever waits for it is told; while nobody does yet, its failure must not end the process.
  code.catch(() => undefined);
  const server = createServer((request, response) => {
    const found = codeIn(request, state);
    response.on("finish", () => {
      if (found !== null) settle(found);
    });
    answer(response, found !== null);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const timer = setTimeout(() => {
    fail(new Unreachable("Nobody signed in within ten minutes: try again."));
  }, WAIT_MS);
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    code,
    async close() {
      clearTimeout(timer);
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      // Browsers keep connections open that they never use.
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Other pages of this machine's browser may call here too; they do not know the state. */
function codeIn(request: IncomingMessage, state: string): string | null {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
  if (request.method !== "GET" || pathname !== "/callback" || searchParams.get("state") !== state) return null;
  return searchParams.get("code");
}

function answer(response: ServerResponse, isOurs: boolean): void {
  response.writeHead(isOurs ? 200 : 404, {
    ...{ "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", Connection: "close" },
    ...{ "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff" },
  });
  response.end(isOurs ? "Signed in. You can close this window and go back to the terminal.\n" : "Nothing is here.\n");
}
