/** What the local directory knows, for the checks that an activation makes (docs/spec/policies.md, directory_unknown). */
import type { PolicyInstallation } from "../core/check-policy.ts";
import { BUILT_IN_CLIENT, isOrganizationRole } from "../core/roles.ts";
import type { Application } from "./application.ts";

export async function installationFacts(app: Application): Promise<PolicyInstallation> {
  const names = await app.reader.directoryNames();
  const roles = new Set(names.roles.map(({ client, role }) => JSON.stringify([client, role])));
  const groups = new Set(names.groups);
  return {
    directory: {
      roleExists: (role, client) =>
        client === BUILT_IN_CLIENT ? isOrganizationRole(role) : roles.has(JSON.stringify([client ?? "", role])),
      groupExists: (path) => groups.has(path),
    },
  };
}
