/** The built console at /app: its files, and its first page for every address that only the browser knows. */
import { stat } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";
import type { FastifyReply } from "fastify";
import type { PageEndpoint } from "../endpoint.ts";
import { problem, type Problem } from "../problem.ts";

const NOT_BUILT: Problem = problem("route_not_found", "The console was not built with this server");
const NO_FILE: Problem = problem("route_not_found", "There is no such file");

/** Files under assets/ carry the hash of their content in their name. */
const FOR_EVER = "public, max-age=31536000, immutable";

export function consoleRoutes(uiDirectory: string | null): readonly PageEndpoint[] {
  return [
    {
      method: "GET",
      url: "/",
      described: null,
      open: async (_exchange, reply) => {
        await reply.redirect("/app");
        return undefined;
      },
    },
    {
      method: "GET",
      url: "/app",
      described: null,
      open: (_exchange, reply) => sendConsoleFile(uiDirectory, "", reply),
    },
    {
      method: "GET",
      url: "/app/*",
      described: null,
      open: ({ params }, reply) => sendConsoleFile(uiDirectory, params["*"] ?? "", reply),
    },
  ];
}

async function sendConsoleFile(
  directory: string | null,
  path: string,
  reply: FastifyReply,
): Promise<Problem | undefined> {
  if (directory === null) return NOT_BUILT;
  if (path.includes("\0")) return NO_FILE;
  const file = normalize(path);
  const inside = file !== ".." && !file.startsWith(`..${sep}`) && !file.startsWith(sep);
  if (inside && (await isFile(join(directory, file)))) {
    if (file.startsWith(`assets${sep}`)) reply.header("Cache-Control", FOR_EVER);
    await reply.sendFile(file, directory, { cacheControl: false });
    return undefined;
  }
  if (extname(file) !== "" || !(await isFile(join(directory, "index.html")))) return NO_FILE;
  await reply.sendFile("index.html", directory, { cacheControl: false });
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
