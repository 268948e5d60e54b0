/** What `countersign user` and `countersign org` take. */
import type { Command } from "commander";
import {
  changeOrganization,
  createOrganization,
  joinOrganization,
  listOrganizations,
  type OrgAct,
  type OrgCreateFlags,
  type OrgFlags,
} from "./org.ts";
import {
  changeUser,
  inviteUser,
  listUsers,
  recoverUser,
  setUserRoles,
  showUser,
  type UserAct,
  type UserFlags,
  type UserInviteFlags,
  type UserListFlags,
  type UserRolesFlags,
  type UserStatusFlags,
} from "./user.ts";

const PERSON = "a login, an e-mail address or an id";

const ACTS = {
  lock: "lock an account: nobody signs in with it, and its tasks wait",
  unlock: "unlock an account",
  suspend: "suspend somebody who has left: others are asked instead",
  reactivate: "bring back somebody who was suspended",
} as const satisfies Record<UserAct, string>;

export function addPeopleCommands(program: Command): void {
  const user = program.command("user").description("people, their roles and the status of their accounts");
  withApiOptions(user.command("list").description("the people of the organization"))
    .option("--status <status>", "placeholder, invited, active, locked, suspended or erased")
    .option("-q <text>", "part of a name or an address")
    .action(async (flags: UserListFlags) => {
      process.exitCode = await listUsers(flags);
    });
  withApiOptions(user.command("show").description("a person, and everything that belongs to them"))
    .argument("<person>", PERSON)
    .action(async (person: string, flags: UserFlags) => {
      process.exitCode = await showUser(person, flags);
    });
  withApiOptions(user.command("invite").description("invite somebody; the link is printed once"))
    .argument("<email>")
    .option("--name <name>", "as the person is called")
    .option("--login <login>", "what they sign in with, if not their address")
    .option("--role <role...>", "what they may do, such as deployer")
    .action(async (email: string, flags: UserInviteFlags) => {
      process.exitCode = await inviteUser(email, flags);
    });
  withApiOptions(user.command("roles").description("print a person's roles, or say which they are"))
    .argument("<person>", PERSON)
    .argument("[roles...]", "all of them; those of a directory or provider stay")
    .option("--none", "take all roles away")
    .action(async (person: string, roles: readonly string[], flags: UserRolesFlags) => {
      process.exitCode = await setUserRoles(person, roles, flags);
    });
  addStatusCommands(user);
  addOrganizationCommands(program);
}

function addStatusCommands(user: Command): void {
  for (const act of ["lock", "unlock", "suspend", "reactivate"] as const) {
    withApiOptions(user.command(act).description(ACTS[act]))
      .argument("<person>", PERSON)
      .requiredOption("--reason <text>", "why; it is kept with the account's history")
      .action(async (person: string, flags: UserStatusFlags) => {
        process.exitCode = await changeUser(act, person, flags);
      });
  }
  withApiOptions(
    user.command("recover").description("make the link by which somebody who lost their factors comes back"),
  )
    .argument("<person>", PERSON)
    .action(async (person: string, flags: UserFlags) => {
      process.exitCode = await recoverUser(person, flags);
    });
}

function addOrganizationCommands(program: Command): void {
  const org = program.command("org").description("the organizations of this installation");
  withApiOptions(org.command("list").description("all of them")).action(async (flags: OrgFlags) => {
    process.exitCode = await listOrganizations(flags);
  });
  withApiOptions(org.command("create").description("add an organization"))
    .argument("<name>")
    .option("--slug <slug>", "a short name for addresses and --org")
    .action(async (name: string, flags: OrgCreateFlags) => {
      process.exitCode = await createOrganization(name, flags);
    });
  withApiOptions(org.command("join").description("accept the invitation of another organization as who you are"))
    .argument("<link>", "the link of the invitation")
    .action(async (link: string, flags: OrgFlags) => {
      process.exitCode = await joinOrganization(link, flags);
    });
  const acts: Readonly<Record<OrgAct, string>> = {
    suspend: "refuse every credential of an organization",
    reactivate: "let the credentials of an organization in again",
  };
  for (const act of ["suspend", "reactivate"] as const) {
    withApiOptions(org.command(act).description(acts[act]))
      .argument("<organization>", "its name, slug or id")
      .action(async (organization: string, flags: OrgFlags) => {
        process.exitCode = await changeOrganization(act, organization, flags);
      });
  }
}

function withApiOptions(command: Command): Command {
  return command
    .option("--server <url>", "another server than the one you signed in to last")
    .option("--org <organization>", "another organization than your own, by id or slug")
    .option("--code <code>", "a code of your authenticator or a backup code, where one is asked for")
    .option("--json", "print as JSON");
}
