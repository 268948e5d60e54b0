/**
 * One process of bench/deploy-proxy.ts: a rack that answers at once, a proxy that looks at nothing, or the driver of the load. Apart from the gate,
 * so that neither of them waits for it.
 */
import { once } from "node:events";
import { Agent, createServer, request as send, type RequestListener } from "node:http";

const APP = JSON.stringify({ generation: "3", name: "myapp", release: "RABCDEFGHIJ", status: "running" }, null, 2);
const WARM_UP = 500;

export interface Load {
  readonly url: string;
  readonly method: string;
  readonly authorization: string | null;
  readonly connections: number;
  readonly requests: number;
}

export interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** A rack that answers at once. */
function rack(): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(APP) }).end(APP);
  };
}

/** What any proxy in Node costs at least: nothing is looked at. */
function bare(target: string): RequestListener {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  return (request, response) => {
    const { method, url, headers } = request;
    const passed = send({ agent, hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(passed);
  };
}

async function drive({ url, method, authorization, connections, requests }: Load): Promise<Measured> {
  const { hostname, port, pathname } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const headers = authorization === null ? {} : { authorization };
  const call = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = send({ agent, hostname, port, path: pathname, method, headers }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`${url} answered ${String(answer.statusCode)}`));
        answer.resume().on("end", resolve);
      });
      sent.on("error", reject).end();
    });
  const many = async (total: number): Promise<readonly number[]> => {
    const times: number[] = [];
    let left = total;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const since = performance.now();
        await call();
        times.push(performance.now() - since);
      }
    };
    await Promise.all(Array.from({ length: connections }, lane));
    return times;
  };
  await many(Math.min(WARM_UP, requests));
  const since = performance.now();
  const times = (await many(requests)).toSorted((one, other) => one - other);
  agent.destroy();
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { perSecond: (1_000 * requests) / (performance.now() - since), p50: at(0.5), p99: at(0.99) };
}

async function serveUntilTold(listener: RequestListener): Promise<void> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  process.send?.({ url: `http://127.0.0.1:${String(typeof address === "object" ? (address?.port ?? 0) : 0)}` });
}

function isLoad(value: unknown): value is Load {
  return typeof value === "object" && value !== null && "method" in value && "requests" in value;
}

async function load(): Promise<void> {
  process.send?.("ready");
  const value = await new Promise<unknown>((resolve) => {
    process.once("message", resolve);
  });
  if (!isLoad(value)) throw new Error("no load was given");
  process.send?.(await drive(value));
}

const [, , role = "", argument = ""] = process.argv;
if (role === "rack") await serveUntilTold(rack());
else if (role === "bare") await serveUntilTold(bare(argument));
else await load();
