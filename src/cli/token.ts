/** `countersign token`: the API tokens of machines (docs/spec/identity.md section 7). A secret is printed once, alone on standard output. */
import { memberOf, textIn } from "../client/api-client.ts";
import { machineNamed } from "./machine.ts";
import { exitStatusOf, signedInClient, type ApiFlags } from "./signed-in-client.ts";
import { table, textsIn } from "./table.ts";

export interface TokenFlags extends ApiFlags {
  readonly json?: true;
}

export interface TokenListFlags extends TokenFlags {
  readonly machine?: string;
  readonly all?: true;
}

export interface TokenCreateFlags extends TokenFlags {
  readonly machine: string;
  readonly name: string;
  readonly scope: readonly string[];
  readonly family?: string;
  readonly days?: number;
  readonly never?: true;
  readonly cidr?: readonly string[];
  readonly app?: readonly string[];
  readonly rack?: readonly string[];
  readonly profile?: readonly string[];
  readonly policy?: readonly string[];
}

export interface TokenRotateFlags extends TokenFlags {
  readonly overlapHours?: number;
}

/** Each answers the exit status. */
export function listTokens(flags: TokenListFlags): Promise<number> {
  return exitStatusOf(async () => {
    const client = signedInClient(flags);
    const query = new URLSearchParams({ limit: "500" });
    if (flags.all !== true) query.set("live", "true");
    if (flags.machine !== undefined) query.set("machine_id", await machineNamed(client, flags.machine));
    const tokens = await client.list(`/tokens?${query.toString()}`);
    if (flags.json === true) console.log(JSON.stringify(tokens, null, 2));
    else console.log(table(["id", "machine", "name", "token", "expires", "last used", "state"], tokens.map(tokenRow)));
  });
}

export function createToken(flags: TokenCreateFlags): Promise<number> {
  return exitStatusOf(async () => {
    const client = signedInClient(flags);
    const { name, scope: scopes, family, days, never } = flags;
    const body = {
      ...{ machine_id: await machineNamed(client, flags.machine), name, scopes, limits: limitsOf(flags) },
      ...(family === undefined ? {} : { family }),
      ...(never === true ? { expires_in_days: null } : days === undefined ? {} : { expires_in_days: days }),
    };
    tell(flags, await client.call({ method: "POST", path: "/tokens", body }));
  });
}

export function rotateToken(id: string, flags: TokenRotateFlags): Promise<number> {
  return exitStatusOf(async () => {
    const { overlapHours } = flags;
    const body = overlapHours === undefined ? {} : { overlap_hours: overlapHours };
    const path = `/tokens/${encodeURIComponent(id)}/rotate`;
    tell(flags, await signedInClient(flags).call({ method: "POST", path, body }));
  });
}

export function revokeToken(id: string, flags: TokenFlags): Promise<number> {
  return exitStatusOf(async () => {
    await signedInClient(flags).call({ method: "DELETE", path: `/tokens/${encodeURIComponent(id)}` });
    if (flags.json !== true) console.error(`${id} is revoked.`);
  });
}

function limitsOf({ cidr, app, rack, profile, policy }: TokenCreateFlags): object {
  return {
    ...(cidr === undefined ? {} : { cidrs: cidr }),
    ...(app === undefined ? {} : { apps: app }),
    ...(rack === undefined ? {} : { racks: rack }),
    ...(profile === undefined ? {} : { trust_profiles: profile }),
    ...(policy === undefined ? {} : { policy_keys: policy }),
  };
}

/** The secret alone is on standard output, so that it can go straight where it is kept. */
function tell({ json }: TokenFlags, made: unknown): void {
  if (json === true) {
    console.log(JSON.stringify(made, null, 2));
    return;
  }
  const token = memberOf(made, "token");
  const expires = textIn(token, "expires_at");
  console.error(`token ${textIn(token, "id") ?? ""}, ${expires === null ? "without an end" : `until ${expires}`}`);
  console.error("It is shown this once:");
  console.log(textIn(made, "secret") ?? "");
}

function tokenRow(token: unknown): readonly string[] {
  const [id = "", machine = "", name = "", prefix = "", lastFour = ""] = textsIn(token, [
    ...["id", "machine", "name", "prefix", "last_four"],
  ]);
  const [expires = "", used = ""] = textsIn(token, ["expires_at", "last_used_at"]);
  return [id, machine, name, `${prefix}…${lastFour}`, expires.slice(0, 10) || "never", used.slice(0, 10), state(token)];
}

function state(token: unknown): string {
  if (textIn(token, "revoked_at") !== null) return "revoked";
  if (memberOf(token, "owner_active") === false) return "no active owner";
  return memberOf(token, "expires_soon") === true ? "expires soon" : "";
}
