/** `countersign user`: people, their roles and the status of their accounts (docs/spec/identity.md section 6). */
import { memberOf, textIn } from "../client/api-client.ts";
import { personNamed } from "./person-named.ts";
import { exitStatusOf, signedInClient, type ApiFlags } from "./signed-in-client.ts";
import { table, textsIn } from "./table.ts";

export interface UserFlags extends ApiFlags {
  readonly json?: true;
}

export interface UserListFlags extends UserFlags {
  readonly status?: string;
  readonly q?: string;
}

export interface UserInviteFlags extends UserFlags {
  readonly name?: string;
  readonly login?: string;
  readonly role?: readonly string[];
}

export interface UserRolesFlags extends UserFlags {
  readonly none?: true;
}

export interface UserStatusFlags extends UserFlags {
  readonly reason: string;
}

export type UserAct = "lock" | "unlock" | "suspend" | "reactivate";

/** Each answers the exit status. */
export function listUsers(flags: UserListFlags): Promise<number> {
  return exitStatusOf(async () => {
    const query = new URLSearchParams({ limit: "200" });
    if (flags.status !== undefined) query.set("status", flags.status);
    if (flags.q !== undefined) query.set("q", flags.q);
    const people = await signedInClient(flags).list(`/people?${query.toString()}`);
    if (flags.json === true) console.log(JSON.stringify(people, null, 2));
    else console.log(table(["id", "login", "name", "email", "status", "roles", "factor"], people.map(userRow)));
  });
}

export function showUser(user: string, flags: UserFlags): Promise<number> {
  return exitStatusOf(async () => {
    const client = signedInClient(flags);
    const person = await client.call({ method: "GET", path: `/people/${await personNamed(client, user)}` });
    if (flags.json === true) console.log(JSON.stringify(person, null, 2));
    else console.log(shown(person));
  });
}

export function inviteUser(email: string, flags: UserInviteFlags): Promise<number> {
  return exitStatusOf(async () => {
    const { name, login, role = [] } = flags;
    const named = { ...(name === undefined ? {} : { name }), ...(login === undefined ? {} : { login }) };
    const body = { email, roles: role, ...named };
    const invited = await signedInClient(flags).call({ method: "POST", path: "/people", body });
    tellLink(flags, invited, `${email} is invited. Hand them this link; it is shown once and lets them in once:`);
  });
}

export function setUserRoles(user: string, roles: readonly string[], flags: UserRolesFlags): Promise<number> {
  return exitStatusOf(async () => {
    const client = signedInClient(flags);
    const path = `/people/${await personNamed(client, user)}`;
    const asks = roles.length === 0 && flags.none !== true;
    const person = asks
      ? await client.call({ method: "GET", path })
      : await client.call({ method: "PUT", path: `${path}/roles`, body: { roles: flags.none === true ? [] : roles } });
    if (flags.json === true) console.log(JSON.stringify(memberOf(person, "roles"), null, 2));
    else
      console.log(
        table(
          ["role", "source"],
          rolesOf(person).map((role) => textsIn(role, ["role", "source"])),
        ),
      );
  });
}

const DONE: Readonly<Record<UserAct, string>> = {
  lock: "is locked: every session has ended, open tasks wait.",
  unlock: "is unlocked.",
  suspend: "is suspended: every session has ended, open tasks went to others.",
  reactivate: "is back.",
};

export function changeUser(act: UserAct, user: string, flags: UserStatusFlags): Promise<number> {
  return exitStatusOf(async () => {
    const client = signedInClient(flags);
    const path = `/people/${await personNamed(client, user)}/${act}`;
    // Everything that somebody leaves behind is settled before the answer.
    if (act === "suspend" && flags.json !== true) console.error("Ending sessions and finding others for open tasks …");
    const person = await client.call({ method: "POST", path, body: { reason: flags.reason } });
    if (flags.json === true) console.log(JSON.stringify(person, null, 2));
    else console.log(`${nameOf(person)} ${DONE[act]}`);
  });
}

export function recoverUser(user: string, flags: UserFlags): Promise<number> {
  return exitStatusOf(async () => {
    const client = signedInClient(flags);
    const path = `/people/${await personNamed(client, user)}/recovery`;
    const made = await client.call({ method: "POST", path, body: {} });
    tellLink(flags, made, "Hand them this link; it is shown once, and their sessions end when they use it:");
  });
}

function tellLink({ json }: UserFlags, made: unknown, sentence: string): void {
  if (json === true) {
    console.log(JSON.stringify(made, null, 2));
    return;
  }
  const [link = "", until = ""] = textsIn(made, ["link", "expires_at"]);
  // The link alone goes to the output, so that it can be piped on.
  console.error(sentence);
  console.log(link);
  console.error(`It holds until ${until}.`);
}

function rolesOf(person: unknown): readonly unknown[] {
  const roles = memberOf(person, "roles");
  return Array.isArray(roles) ? roles : [];
}

function userRow(person: unknown): readonly string[] {
  const roles = rolesOf(person).map((role) => textIn(role, "role") ?? "");
  const enrolled = memberOf(person, "enrolled") === true ? "yes" : "no";
  return [...textsIn(person, ["id", "assignee", "name", "email", "status"]), roles.join(","), enrolled];
}

function nameOf(person: unknown): string {
  return textIn(person, "name") ?? textIn(person, "assignee") ?? "The person";
}

const PARTS: readonly (readonly [string, readonly string[]])[] = [
  ["roles", ["role", "source"]],
  ["identities", ["issuer", "provider"]],
  ["factors", ["id", "type", "name", "usable_at"]],
  ["sessions", ["id", "kind", "method", "client", "last_seen_at"]],
  ["machines", ["id", "kind", "name"]],
  ["open_tasks", ["id", "artifact_type", "artifact_id", "stage_name"]],
  ["aliases", ["name", "proof"]],
];

function shown(person: unknown): string {
  const head = table(["id", "login", "name", "email", "status", "roles", "factor"], [userRow(person)]);
  const parts = PARTS.flatMap(([member, columns]) => {
    const list = memberOf(person, member);
    if (!Array.isArray(list) || list.length === 0) return [];
    return [
      `${member.replace("_", " ")}\n${table(
        columns,
        list.map((item: unknown) => textsIn(item, columns)),
      )}`,
    ];
  });
  return [head, ...parts].join("\n\n");
}
