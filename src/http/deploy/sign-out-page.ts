/**
 * Signing out is a write, so opening its address only asks (docs/spec/deploy.md 11.2, identity R-IDP-11, R-SESS-6). The page stands
 * alone: its few lines of script are allowed by their digest.
 */
import { createHash } from "node:crypto";
import type { PageEndpoint } from "../endpoint.ts";

const SCRIPT = `document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const asked = await fetch("/api/v1/info");
  const { csrf_token: token = "" } = asked.ok ? await asked.json() : {};
  const left = asked.status === 401 ? asked : await fetch("/api/v1/auth/web/logout", { method: "POST", headers: { "X-CSRF-Token": token } });
  if (left.ok || left.status === 401) location.assign("/app/sign-in");
  else document.querySelector("[role=status]").textContent = "You are still signed in: try again.";
});`;

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign out</title></head>
<body>
<main>
<h1>Sign out</h1>
<form method="post"><p>You are signed in until you say otherwise.</p><button>Sign out</button></form>
<p role="status"></p>
<p><a href="/app/">Back</a></p>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;

const DIGEST = createHash("sha256").update(SCRIPT).digest("base64");
const POLICY = [
  ...["default-src 'none'", `script-src 'sha256-${DIGEST}'`, "connect-src 'self'", "form-action 'none'"],
  ...["base-uri 'none'", "frame-ancestors 'none'"],
].join("; ");

export function signOutPage(): PageEndpoint {
  return {
    ...{ method: "GET", url: "/auth/web/logout", described: null },
    async open(_exchange, reply) {
      reply.header("Content-Security-Policy", POLICY).header("Cache-Control", "no-store");
      await reply.type("text/html; charset=utf-8").send(PAGE);
      return undefined;
    },
  };
}
