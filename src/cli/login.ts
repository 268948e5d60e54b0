/**
 * `countersign login`: signs this terminal in through the browser of its person (docs/spec/identity.md R-TERM-1 to R-TERM-4).
 * The browser comes back to this machine with a code, or shows one to be typed here; only this process knows the verifier.
 */
import { createHash, randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { userCodeFrom, userCodeText } from "../contract/user-code.ts";
import { createApiClient, memberOf, textIn } from "../client/api-client.ts";
import { Unreachable } from "../client/api-refusal.ts";
import { knownServer, rememberServer } from "./cli-config.ts";
import { awaitCallback, type Callback } from "./login-callback.ts";
import { openBrowser } from "./open-browser.ts";
import { answerTo, exitStatusOf, SignedOut, userAgent } from "./signed-in-client.ts";

export interface LoginFlags {
  /** False with `--no-browser`: the code is typed. */
  readonly browser?: boolean;
}

const SECRET_BYTES = 32;

/** The exit status. */
export function login(url: string | undefined, flags: LoginFlags): Promise<number> {
  return exitStatusOf(async () => {
    const server = addressOf(url);
    const verifier = randomBytes(SECRET_BYTES).toString("base64url");
    const state = randomBytes(SECRET_BYTES).toString("base64url");
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const asking = { server, challenge, state };
    const code = flags.browser === false ? await typedCode(asking) : await codeFromBrowser(asking);
    await redeem(server, code, verifier);
  });
}

interface Asking {
  readonly server: string;
  readonly challenge: string;
  readonly state: string;
}

function addressOf(url: string | undefined): string {
  const given = url ?? knownServer()?.url;
  if (given === undefined) throw new SignedOut("Say where: countersign login https://approvals.example.com");
  const full = /^https?:\/\//.test(given) ? given : `https://${given}`;
  if (!URL.canParse(full)) throw new SignedOut(`${given} is no address of a server.`);
  return full.replace(/\/+$/, "");
}

function page({ server, challenge, state }: Asking, port: number | null): string {
  const query = new URLSearchParams({
    ...{ code_challenge: challenge, state, client: userAgent(), host: hostname() },
    ...(port === null ? {} : { port: String(port) }),
  });
  return `${server}/auth/cli?${query.toString()}`;
}

/** The same letters as on the page; the address does not hold them. */
function tellUserCode({ challenge }: Asking): void {
  const digest = createHash("sha256").update(userCodeText(challenge)).digest();
  console.error(`The page must show this code: ${userCodeFrom(digest)}`);
}

async function codeFromBrowser(asking: Asking): Promise<string> {
  const callback: Callback = await awaitCallback(asking.state);
  try {
    const address = page(asking, callback.port);
    console.error(`Opening ${address}`);
    tellUserCode(asking);
    openBrowser(address);
    return await callback.code;
  } finally {
    await callback.close();
  }
}

async function typedCode(asking: Asking): Promise<string> {
  console.error(`Open this address in a browser: ${page(asking, null)}`);
  tellUserCode(asking);
  return await answerTo("One-time code that the page shows: ");
}

async function redeem(server: string, code: string, verifier: string): Promise<void> {
  const client = createApiClient({ url: server, token: null, userAgent: userAgent() });
  const answer = await client.call({
    ...{ method: "POST", path: "/auth/cli/token" },
    body: { code, code_verifier: verifier },
  });
  const [token, expiresAt] = [textIn(answer, "token"), textIn(answer, "expires_at")];
  if (token === null || expiresAt === null) throw new Unreachable(`${server} answered something else than a session.`);
  const me = memberOf(answer, "me");
  const name = textIn(me, "name") ?? textIn(me, "assignee") ?? "";
  rememberServer({ url: server, token, expiresAt, name, email: textIn(me, "email") });
  console.log(`Signed in to ${server} as ${name} until ${expiresAt}.`);
}
