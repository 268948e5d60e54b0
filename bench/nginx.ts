/** One nginx worker in front of an upstream, where the machine has nginx: what a proxy costs that was made for nothing else. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface Nginx {
  readonly url: string;
  readonly process: ChildProcess;
}

const LOOK_MS = 50;
const LOOKS_MAX = 100;

/** It keeps its connections to the upstream, and an upload until it is whole. Null where the machine has none. */
export async function openNginx(folder: string, upstream: string): Promise<Nginx | null> {
  if (spawnSync("nginx", ["-v"]).error !== undefined) return null;
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  await writeFile(
    file,
    `${user} daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr crit; events {}
http { access_log off; client_max_body_size 0; keepalive_requests 1000000; ${temporary.join(" ")}
  upstream rack { server ${new URL(upstream).host}; keepalive 256; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${String(port)};
    location / { proxy_pass http://rack; proxy_http_version 1.1; proxy_set_header Connection ""; } } }\n`,
  );
  const child = spawn("nginx", ["-c", file, "-p", folder], { stdio: "inherit" });
  const url = `http://127.0.0.1:${String(port)}`;
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    if (await fetch(url).then(Boolean, () => false)) return { url, process: child };
    await delay(LOOK_MS);
  }
  child.kill();
  throw new Error("nginx did not start");
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  server.close();
  return port;
}
