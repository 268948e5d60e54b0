/**
 * What a start does for people: while nobody administers the installation it makes the setup link and says where it is, and
 * it invites those whom the environment names (docs/spec/identity.md R-LOCAL-5, R-LOCAL-7).
 */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Application } from "../app/application.ts";
import { submitInvitation } from "../app/invite-person.ts";
import { makeSetupLink, needsSetup } from "../app/setup-link.ts";
import { isRefusal } from "../core/refusal.ts";
import { roleNamed } from "../core/roles.ts";
import type { Config } from "./config-schema.ts";

function setupLinkFile(dataDir: string): string {
  return join(dataDir, "setup-link");
}

/** Null when the installation has its administrator; then the file of an earlier start goes. */
export async function offerSetup(app: Application, dataDir: string): Promise<string | null> {
  const link = await makeSetupLink(app);
  const file = setupLinkFile(dataDir);
  await rm(file, { force: true });
  if (link === null) return null;
  await writeFile(file, `${link.url}\n`, { mode: 0o600 });
  return link.url;
}

/** The link's file goes as soon as somebody has come in by it and enrolled a factor. */
export function forgetUsedLink(
  app: Application,
  dataDir: string,
  subscribe: (listener: () => void) => () => void,
): { readonly stop: () => void } {
  let isAsking = false;
  const stop = subscribe(() => {
    if (isAsking) return;
    isAsking = true;
    needsSetup(app)
      .then(async (isNeeded) => {
        isAsking = false;
        if (isNeeded) return;
        stop();
        await rm(setupLinkFile(dataDir), { force: true });
      })
      // Asked again after the next commit.
      .catch(() => {
        isAsking = false;
      });
  });
  return { stop };
}

/** Makes missing people; whoever is known, whatever their roles, stays as they are. */
export async function inviteConfiguredPeople(
  app: Application,
  { countersign: own }: Config,
  warn: (sentence: string) => void,
): Promise<void> {
  const lists = [
    ["admin", own.admin_users],
    ["deployer", own.deployer_users],
    ["ops", own.operations_users],
    ["viewer", own.viewer_users],
  ] as const;
  for (const [name, list] of lists) {
    for (const email of addressesIn(list)) await inviteMissing(app, { email, role: name }, warn);
  }
}

async function inviteMissing(
  app: Application,
  { email, role: name }: { readonly email: string; readonly role: string },
  warn: (sentence: string) => void,
): Promise<void> {
  const role = roleNamed(name);
  if (role === undefined || (await isKnown(app, email))) return;
  const invitation = { email, name: null, login: null, roles: [name] };
  const by = { actor: null, source: "environment", createdBy: "sys_server", roles: [role] } as const;
  const invited = await submitInvitation(app, invitation, by);
  if (isRefusal(invited))
    warn(`A person whom the configuration names as ${name} could not be invited: ${invited.message}`);
}

/** Placeholders are names that policies know, not people. */
async function isKnown(app: Application, email: string): Promise<boolean> {
  const found = await app.reader.people({ q: email, limit: 50 });
  const wanted = email.toLowerCase();
  return found.some(
    (person) =>
      person.status !== "placeholder" &&
      (person.email?.toLowerCase() === wanted || person.assignee.toLowerCase() === wanted),
  );
}

function addressesIn(list: string): readonly string[] {
  const addresses = list.split(",").map((address) => address.trim().toLowerCase());
  return [...new Set(addresses.filter((address) => address !== ""))];
}
