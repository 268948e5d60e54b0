/**
 * `rack-gateway login` and `logout` (docs/spec/deploy.md R-CLI-10, R-LOGIN-2): through the browser of the person as every terminal
 * signs in (docs/spec/identity.md R-TERM-1), or with `--auth-file` by the original's polling pair, for whoever opens the address
 * elsewhere.
 */
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { hostname, platform } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { createApiClient, memberOf, textIn } from "../../client/api-client.ts";
import { ApiRefusal } from "../../client/api-refusal.ts";
import { createDeployClient } from "../../client/deploy-client.ts";
import { userCodeFrom, userCodeText } from "../../contract/user-code.ts";
import { awaitCallback } from "../login-callback.ts";
import { openBrowser } from "../open-browser.ts";
import { userAgent } from "../signed-in-client.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { configDirectory, forgetGateway, machineId, openGatewayConfig, rememberGateway } from "./gateway-config.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { fullUrl, serverUrl } from "./open-gateway.ts";

export interface GatewayLoginFlags extends GatewayFlags {
  /** False with `--no-open`. */
  readonly open?: boolean;
  readonly authFile?: string;
  /** Milliseconds. */
  readonly timeout: number;
}

interface Place {
  readonly rack: string;
  readonly url: string;
}

interface Session {
  readonly token: string;
  readonly expiresAt: string;
  readonly email: string;
  /** What the original keeps besides. */
  readonly members: Readonly<Record<string, unknown>>;
}

const RACK_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** The exit status, here as below. */
export async function gatewayLogin(
  rack: string | undefined,
  url: string | undefined,
  flags: GatewayLoginFlags,
): Promise<number> {
  const directory = configDirectory(flags.config);
  const place = placeOf(rack ?? flags.rack, url, directory);
  console.error(`Starting login for rack: ${place.rack} via gateway: ${place.url}`);
  const session =
    flags.authFile === undefined
      ? await byBrowser(place, flags)
      : await byPolling(place, flags.authFile, flags, directory);
  rememberGateway(directory, place.rack, {
    ...{ url: place.url, token: session.token, email: session.email, expires_at: session.expiresAt },
    ...{ channel: "cli", device_id: machineId(directory), device_name: hostname(), ...session.members },
  });
  console.log(`✓ Successfully logged in to ${place.rack} as ${session.email}`);
  return EXIT.done;
}

function placeOf(rack: string | undefined, url: string | undefined, directory: string): Place {
  const config = openGatewayConfig(directory);
  const name = rack ?? process.env["RACK_GATEWAY_RACK"] ?? config.current;
  if (name === null || name === "") throw new CliFault("which rack? rack-gateway login <rack> <gateway-url>");
  if (!RACK_NAME.test(name)) throw new CliFault(`"${name}" is no name of a rack`);
  const address = url ?? config.entry(name)?.url ?? process.env["RACK_GATEWAY_URL"] ?? "";
  if (address === "") throw new CliFault(`No rack found with name "${name}": rack-gateway login ${name} <gateway-url>`);
  return { rack: name, url: fullUrl(address) };
}

const SECRET_BYTES = 32;

async function byBrowser({ url }: Place, { open, timeout }: GatewayLoginFlags): Promise<Session> {
  const server = serverUrl(url);
  const [verifier, state] = [SECRET_BYTES, SECRET_BYTES].map((bytes) => randomBytes(bytes).toString("base64url"));
  if (verifier === undefined || state === undefined) throw new CliFault("no secret could be made");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const callback = await awaitCallback(state);
  try {
    const query = {
      code_challenge: challenge,
      state,
      client: userAgent(),
      host: hostname(),
      port: String(callback.port),
    };
    const address = `${server}/auth/cli?${new URLSearchParams(query).toString()}`;
    console.error(`Auth URL: ${address}`);
    console.error(`Code: ${userCodeFrom(createHash("sha256").update(userCodeText(challenge)).digest())}`);
    if (open !== false) openBrowser(address);
    const code = await Promise.race([callback.code, nobodyCame(timeout)]);
    return await redeemed(server, code, verifier);
  } finally {
    await callback.close();
  }
}

async function nobodyCame(timeoutMs: number): Promise<never> {
  await sleep(timeoutMs, undefined, { ref: false });
  throw new CliFault("timed out waiting for the login", EXIT.timedOut);
}

async function redeemed(server: string, code: string, verifier: string): Promise<Session> {
  const client = createApiClient({ url: server, token: null, userAgent: userAgent() });
  const body = { code, code_verifier: verifier };
  const answer = await client.call({ method: "POST", path: "/auth/cli/token", body });
  const me = memberOf(answer, "me");
  return sessionOf(answer, textIn(me, "email") ?? textIn(me, "name") ?? "", {
    session_id: textIn(memberOf(me, "session"), "id") ?? "",
  });
}

function sessionOf(answer: unknown, email: string, members: Session["members"]): Session {
  const [token, expiresAt] = [textIn(answer, "token"), textIn(answer, "expires_at")];
  if (token === null || expiresAt === null) throw new CliFault("the gateway answered something else than a session");
  return { token, expiresAt, email, members };
}

const POLL_MS = 1_000;

async function byPolling(
  { url }: Place,
  file: string,
  { open, timeout }: GatewayLoginFlags,
  directory: string,
): Promise<Session> {
  const client = createDeployClient({ url, credential: null, userAgent: userAgent() });
  const started = await client.call({ method: "POST", path: "/auth/cli/start", body: {} });
  const [address, state, verifier] = ["auth_url", "state", "code_verifier"].map((name) => textIn(started, name) ?? "");
  if (address === undefined || address === "")
    throw new CliFault("the gateway answered something else than an address");
  // The verifier redeems the session: for the owner's eyes alone.
  const lines = `AUTH_URL=${address}\nSTATE=${state ?? ""}\nCODE_VERIFIER=${verifier ?? ""}\n`;
  writeFileSync(file, lines, { mode: 0o600 });
  console.error(`Auth URL: ${address}`);
  console.error(`Code: ${textIn(started, "user_code") ?? ""}`);
  if (open !== false) openBrowser(address);
  const body = {
    ...{ state, code_verifier: verifier, device_id: machineId(directory), device_name: hostname() },
    ...{ device_os: platform(), client_version: userAgent() },
  };
  const deadline = Date.now() + timeout;
  while (Date.now() < deadline) {
    const answer = await client.call({ method: "POST", path: "/auth/cli/complete", body });
    if (textIn(answer, "token") === null) {
      await sleep(POLL_MS);
      continue;
    }
    const kept = ["session_id", "channel", "device_id", "device_name", "mfa_verified"];
    const members = Object.fromEntries(
      kept.map((name) => [name, memberOf(answer, name)] as const).filter(([, value]) => value != null),
    );
    return sessionOf(answer, textIn(answer, "email") ?? textIn(answer, "name") ?? "", members);
  }
  throw new CliFault("timed out waiting for the login", EXIT.timedOut);
}

/** On the server first, then here: what could not be ended there stays known here. */
export async function gatewayLogout(rack: string | undefined, flags: GatewayFlags): Promise<number> {
  const directory = configDirectory(flags.config);
  const config = openGatewayConfig(directory);
  const name = rack ?? flags.rack ?? process.env["RACK_GATEWAY_RACK"] ?? config.current;
  const names = name === "all" ? config.racks : [name ?? ""];
  for (const one of names) {
    const entry = config.entry(one);
    if (entry === null) throw new CliFault(one === "" ? "You are not logged in." : `No rack found with name "${one}"`);
    const token = entry.token();
    if (token !== null) await endSession(serverUrl(fullUrl(entry.url)), token);
    forgetGateway(directory, one);
    console.log(`✓ Logged out from ${one}`);
  }
  return EXIT.done;
}

async function endSession(url: string, token: string): Promise<void> {
  try {
    await createApiClient({ url, token, userAgent: userAgent() }).call({ method: "DELETE", path: "/session" });
  } catch (error) {
    // A session that has ended already cannot be ended; whatever else goes wrong leaves it open.
    if (!(error instanceof ApiRefusal) || error.problem.status !== 401) throw error;
  }
}
