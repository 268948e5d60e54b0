/**
 * One process of bench/deploy-upload.ts: a rack that swallows archives, a proxy that looks at nothing, or the client that sends them. Apart from
 * the gate, so that its memory and its event loop are its own.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { Agent, createServer, request as send, type RequestListener } from "node:http";

const READ_BYTES = 262_144;
const HASHED = "hashed";

export interface Uploading {
  /** One address each, all at once. */
  readonly urls: readonly string[];
  readonly file: string;
  readonly bytes: number;
  readonly authorization: string | null;
}

export interface Uploaded {
  readonly seconds: number;
  /** As the racks answered; of the hash where the address asks for it. */
  readonly answers: readonly string[];
}

/** Answers as a rack does; hashes where the key says so, since hashing takes time from everybody else. */
function rack(): RequestListener {
  return (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://rack");
    const [, app = "", key = ""] = /^\/apps\/([^/]+)\/objects\/(tmp\/.+)$/.exec(pathname) ?? [];
    const hash = key.includes(HASHED) ? createHash("sha256") : null;
    request.on("data", (chunk: Buffer) => hash?.update(chunk));
    request.on("end", () => {
      const body = JSON.stringify({ Url: `object://${app}/${key}`, sha256: hash?.digest("hex") });
      response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
      response.end(body);
    });
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

async function upload({ urls, file, bytes, authorization }: Uploading): Promise<Uploaded> {
  const since = performance.now();
  const headers = { "Content-Length": String(bytes), ...(authorization === null ? {} : { authorization }) };
  const answers = await Promise.all(
    urls.map(
      (url) =>
        new Promise<string>((resolve, reject) => {
          const sent = send(url, { method: "POST", headers, agent: false }, (answer) => {
            const chunks: Buffer[] = [];
            answer.on("data", (chunk: Buffer) => chunks.push(chunk));
            answer.on("end", () => {
              const text = Buffer.concat(chunks).toString("utf8");
              if (answer.statusCode === 200) resolve(text);
              else reject(new Error(`${url} answered ${String(answer.statusCode)} ${text}`));
            });
          });
          sent.on("error", reject);
          createReadStream(file, { highWaterMark: READ_BYTES }).pipe(sent);
        }),
    ),
  );
  return { seconds: (performance.now() - since) / 1_000, answers };
}

async function serveUntilTold(listener: RequestListener): Promise<void> {
  const server = createServer({ requestTimeout: 0 }, listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  process.send?.({ url: `http://127.0.0.1:${String(typeof address === "object" ? (address?.port ?? 0) : 0)}` });
}

function isUploading(value: unknown): value is Uploading {
  return typeof value === "object" && value !== null && "urls" in value && "file" in value;
}

const [, , role = "", argument = ""] = process.argv;
if (role === "rack") await serveUntilTold(rack());
else if (role === "bare") await serveUntilTold(bare(argument));
else {
  process.on("message", (value: unknown) => {
    if (!isUploading(value)) throw new Error("no upload was given");
    upload(value).then(
      (done) => process.send?.(done),
      (error: unknown) => process.send?.({ failed: String(error) }),
    );
  });
  process.send?.("ready");
}
