/** `rack-gateway api-token`: tokens for CI, in the original's words (docs/spec/deploy.md R-CLI-10, R-TOKEN-2). */
import { Option, type Command } from "commander";
import { memberOf, textIn } from "../../client/api-client.ts";
import { itemsIn } from "../../client/deploy-client.ts";
import { table, textsIn } from "../table.ts";
import { CliFault, EXIT, exitStatusOf } from "./cli-outcome.ts";
import { printJson, wantsJson } from "./cli-output.ts";
import { flagsOf, withGatewayFlags, withOutput, type GatewayFlags } from "./gateway-flags.ts";
import { openGateway } from "./open-gateway.ts";

interface CreateFlags extends GatewayFlags {
  readonly name: string;
  readonly user?: string;
  readonly role?: string;
  readonly permission?: readonly string[];
  readonly expiresAt?: string;
  readonly app?: string;
}

/** What `--rack` and `--app` mean of a token: where it may be used. */
interface Limits {
  readonly racks?: readonly string[];
  readonly apps?: readonly string[];
}

export function addApiTokenCommands(program: Command): void {
  const group = withGatewayFlags(program.command("api-token").description("tokens for CI")).enablePositionalOptions();
  withOutput(withGatewayFlags(group.command("list").description("list tokens"))).action(
    async (flags: GatewayFlags, called: Command) => {
      process.exitCode = await exitStatusOf(() => listTokens(flagsOf(called, flags)));
    },
  );
  withOutput(withGatewayFlags(group.command("get").description("show a token").argument("<id>"))).action(
    async (id: string, flags: GatewayFlags, called: Command) => {
      process.exitCode = await exitStatusOf(() => getToken(id, flagsOf(called, flags)));
    },
  );
  withGatewayFlags(group.command("delete").description("delete a token").argument("<id>")).action(
    async (id: string, flags: GatewayFlags, called: Command) => {
      process.exitCode = await exitStatusOf(() => deleteToken(id, flagsOf(called, flags)));
    },
  );
  addCreate(group);
}

function addCreate(group: Command): void {
  withGatewayFlags(group.command("create").description("make a token; it is shown once"), false)
    .requiredOption("--name <name>", "what it is for")
    .option("--user <email>", "whose it is; without one, a service account's")
    .option("--role <role>", "viewer, ops, deployer, cicd or admin")
    .option("--permission <permission>", "instead of a role; may be repeated", collected)
    .option("--expires-at <time>", "when it ends, such as 2027-01-31T00:00:00Z")
    .option("--rack <rack>", "only for this rack; may be repeated", collected)
    .option("--app <app>", "only for this app; may be repeated", collected)
    .addOption(new Option("-o, --output <format>", "how to print").choices(["text", "json", "token"]))
    .action(async (own: Omit<CreateFlags, "rack" | "app"> & TokenPlaces, called: Command) => {
      const { rack: racks, app: apps, ...flags } = own;
      const limits = { ...(racks === undefined ? {} : { racks }), ...(apps === undefined ? {} : { apps }) };
      process.exitCode = await exitStatusOf(() => createToken(flagsOf(called, flags), limits));
    });
}

interface TokenPlaces {
  readonly rack?: readonly string[];
  readonly app?: readonly string[];
}

async function listTokens(flags: GatewayFlags): Promise<number> {
  const answer = await openGateway(flags).call({ method: "GET", path: "/api-tokens" });
  const tokens = itemsIn(answer, "api_tokens");
  if (wantsJson(flags)) printJson(tokens);
  else {
    const rows = tokens.map((token) => {
      const [id = "", name = "", email = "", created = "", expires = "", used = ""] = textsIn(token, MEMBERS);
      return [id, name, email, created.slice(0, 10), expires.slice(0, 10) || "never", used.slice(0, 10)];
    });
    console.log(table(["ID", "NAME", "CREATED BY", "CREATED", "EXPIRES", "LAST USED"], rows));
  }
  return EXIT.done;
}

const MEMBERS = ["public_id", "name", "created_by_email", "created_at", "expires_at", "last_used_at"];

async function getToken(id: string, flags: GatewayFlags): Promise<number> {
  const token = await openGateway(flags).call({ method: "GET", path: `/api-tokens/${encodeURIComponent(id)}` });
  if (wantsJson(flags)) printJson(token);
  else {
    const values = textsIn(token, MEMBERS);
    console.log(MEMBERS.map((member, at) => `${member.padEnd(17)} ${values[at] ?? ""}`.trimEnd()).join("\n"));
    console.log(`permissions       ${itemsIn(memberOf(token, "permissions"), "").join(", ")}`);
  }
  return EXIT.done;
}

async function deleteToken(id: string, flags: GatewayFlags): Promise<number> {
  const path = `/api-tokens/${encodeURIComponent(id)}`;
  await openGateway(flags).call({ method: "DELETE", path }, { first: true });
  console.log(`Deleted token ${id}`);
  return EXIT.done;
}

async function createToken(flags: Omit<CreateFlags, "app">, limits: Limits): Promise<number> {
  const { name, user, role, permission, expiresAt } = flags;
  if (role === undefined && permission === undefined) {
    throw new CliFault("permissions required - specify --role or --permission");
  }
  const body = {
    ...{ name, ...limits },
    ...(user === undefined ? {} : { user_email: user }),
    ...(role === undefined ? {} : { role }),
    ...(permission === undefined ? {} : { permissions: permission }),
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
  };
  const made = await openGateway(flags).call({ method: "POST", path: "/api-tokens", body }, { first: true });
  const token = textIn(made, "token") ?? "";
  if (wantsJson(flags)) printJson(made);
  else if (flags.output === "token") console.log(token);
  else {
    const id = textIn(memberOf(made, "api_token"), "public_id") ?? textIn(made, "public_id") ?? "";
    console.log(`Created token "${name}" (id ${id})\nToken: ${token}`);
  }
  return EXIT.done;
}

function collected(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
