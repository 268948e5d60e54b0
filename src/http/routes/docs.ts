/** The API description and its page; everything the page needs comes from this server. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { PageEndpoint } from "../endpoint.ts";
import { problem, type Problem } from "../problem.ts";

const require = createRequire(import.meta.url);
const assets = join(dirname(require.resolve("@fastify/swagger-ui/package.json")), "static");

const assetNames: ReadonlySet<string> = new Set([
  "swagger-ui.css",
  "index.css",
  "swagger-ui-bundle.js",
  "favicon-32x32.png",
]);

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Countersign API</title>
    <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="stylesheet" href="docs/index.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

/** Relative to the page, so that it shows the description of its own mount. */
const start = `window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
  validatorUrl: null,
});
`;

const NOT_FOUND: Problem = problem("route_not_found", "There is no such file");
const CACHED = "public, max-age=3600";

/** `mount` is the server's part that the description is about. */
export function docsRoutes(mount: FastifyInstance): readonly PageEndpoint[] {
  return [
    {
      method: "GET",
      url: "/openapi.json",
      described: null,
      open: async (_exchange, reply) => {
        await reply.type("application/json; charset=utf-8").send(JSON.stringify(mount.swagger()));
        return undefined;
      },
    },
    {
      method: "GET",
      url: "/docs",
      described: null,
      open: async (_exchange, reply) => {
        await reply.type("text/html; charset=utf-8").header("Cache-Control", CACHED).send(page);
        return undefined;
      },
    },
    {
      method: "GET",
      url: "/docs/:file",
      described: null,
      open: async ({ params }, reply) => {
        const file = params["file"] ?? "";
        reply.header("Cache-Control", CACHED);
        if (file === "start.js") await reply.type("text/javascript; charset=utf-8").send(start);
        else if (assetNames.has(file)) await reply.sendFile(file, assets, { cacheControl: false });
        else return NOT_FOUND;
        return undefined;
      },
    },
  ];
}
