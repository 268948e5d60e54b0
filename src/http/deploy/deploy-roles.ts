/** The roles that this gate's clients know, with the labels they show (docs/spec/deploy.md R-PERM-3). */
import type { Permission } from "../../core/permission.ts";
import { roleNamed } from "../../core/roles.ts";

export interface DeployRole {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly forPeople: boolean;
  readonly forTokens: boolean;
}

export const DEPLOY_ROLES: readonly DeployRole[] = [
  { ...role("viewer", "Viewer"), forPeople: true, forTokens: true },
  { ...role("ops", "Operations"), forPeople: true, forTokens: true },
  { ...role("deployer", "Deployer"), forPeople: true, forTokens: true },
  { ...role("cicd", "CI/CD"), forPeople: false, forTokens: true },
  { ...role("auditor", "Auditor"), forPeople: true, forTokens: false },
  { ...role("admin", "Admin"), forPeople: true, forTokens: true },
];

export function deployRole(name: string): DeployRole | undefined {
  return DEPLOY_ROLES.find((known) => known.name === name);
}

/** Of this gate: what a role allows elsewhere is no part of a deploy token. */
export function rolePermissions(name: string): readonly Permission[] {
  return (roleNamed(name)?.permissions ?? []).filter((permission) => /^(?:convox|gateway|security):/.test(permission));
}

function role(name: string, label: string): Pick<DeployRole, "name" | "label" | "description"> {
  return { name, label, description: roleNamed(name)?.meaning ?? "" };
}
