/** What each role may do. Implements docs/spec/identity.md section 8.1. */
import { permits, type Permission } from "./permission.ts";

export interface Role {
  readonly name: string;
  /** In words, for whoever gives it. */
  readonly meaning: string;
  readonly permissions: readonly Permission[];
  /** `platform` roles stand outside of organizations; `machine` roles are presets for tokens. */
  readonly holder: "person" | "machine" | "platform";
}

const VIEWER: readonly Permission[] = [
  "convox:app:list",
  "convox:app:read",
  "convox:process:list",
  "convox:process:read",
  "convox:instance:list",
  "convox:instance:read",
  "convox:build:list",
  "convox:build:read",
  "convox:rack:list",
  "convox:rack:read",
  "convox:log:read",
  "approval:request:read",
];

const OPS: readonly Permission[] = [
  ...VIEWER,
  "convox:app:restart",
  "convox:process:start",
  "convox:process:exec",
  "convox:process:terminate",
  "convox:release:list",
  "convox:env:read",
];

const DEPLOYER: readonly Permission[] = [
  ...OPS,
  "convox:app:update",
  "convox:build:create",
  "convox:object:create",
  "convox:release:create",
  "convox:release:read",
  "convox:release:promote",
  "convox:env:set",
  "gateway:deploy_approval_request:create",
  "gateway:deploy_approval_request:read",
  "gateway:deploy_approval_request:cancel",
];

const AWE_VIEWER: readonly Permission[] = [
  "approval:policy:read",
  "approval:policy:simulate",
  "approval:delivery:read",
  "approval:delegation:read",
  "approval:request:read",
  "approval:request:read_all",
  "ledger:entry:read",
  "ledger:checkpoint:read",
  "org:directory:read",
];

const READS: readonly Permission[] = [
  "convox:*:read",
  "convox:*:list",
  "gateway:*:read",
  "gateway:*:list",
  "approval:*:read",
  "approval:request:read_all",
  "approval:policy:simulate",
  "cert:*:read",
  "ledger:*:read",
  "org:*:read",
];

export const ROLES: readonly Role[] = [
  { name: "viewer", holder: "person", meaning: "Sees apps, builds, logs and its own requests.", permissions: VIEWER },
  { name: "ops", holder: "person", meaning: "Viewer who may restart apps and run processes.", permissions: OPS },
  { name: "deployer", holder: "person", meaning: "Ops who may build, release and deploy.", permissions: DEPLOYER },
  {
    name: "cicd",
    holder: "machine",
    meaning: "Asks for deploy approvals and deploys what was approved.",
    permissions: [
      "convox:app:list",
      "convox:app:read",
      "convox:process:list",
      "convox:process:read",
      "convox:instance:list",
      "convox:instance:read",
      "convox:rack:read",
      "gateway:deploy_approval_request:create",
      "gateway:deploy_approval_request:read",
      "gateway:deploy_approval_request:cancel",
      "convox:deploy:deploy_with_approval",
    ],
  },
  {
    name: "admin",
    holder: "person",
    meaning: "Administers the organization; decides only on tasks of their own.",
    permissions: [
      "convox:*:*",
      "gateway:*:*",
      "security:*:*",
      "approval:*:*",
      "org:*:*",
      "ledger:entry:read",
      "ledger:checkpoint:read",
      "ledger:export:create",
    ],
  },
  {
    name: "AWE_VIEWER",
    holder: "person",
    meaning: "Reads policies, requests and the ledger.",
    permissions: AWE_VIEWER,
  },
  {
    name: "AWE_ADMIN",
    holder: "person",
    meaning: "Manages policies, delegations and other people's tasks.",
    permissions: [
      ...AWE_VIEWER,
      "approval:policy:write",
      "approval:policy:activate",
      "approval:request:cancel_all",
      "approval:request:resolve",
      "approval:task:reassign",
      "approval:task:override",
      "approval:delivery:retry",
      "approval:delegation:manage",
      "org:directory:write",
      "org:webhook:write",
      "ledger:export:create",
    ],
  },
  {
    name: "auditor",
    holder: "person",
    meaning: "Reads everything, verifies and exports; changes nothing.",
    permissions: [...READS, "ledger:verify:run", "ledger:export:create"],
  },
  {
    name: "org_admin",
    holder: "person",
    meaning: "Administers people, policies and certificates of the organization.",
    permissions: ["org:*:*", "approval:*:*", "cert:*:*", "ledger:*:read", "ledger:export:create"],
  },
  {
    name: "org_operator",
    holder: "person",
    meaning: "Requests certificates; decides where a profile lists them.",
    permissions: ["cert:request:create", "cert:request:read", "cert:certificate:read", "approval:request:read"],
  },
  {
    name: "org_viewer",
    holder: "person",
    meaning: "Reads what the organization has.",
    permissions: ["cert:*:read", "approval:*:read", "org:*:read"],
  },
  {
    name: "platform_superuser",
    holder: "platform",
    meaning: "Runs the installation, and administers an organization while it is the active one.",
    permissions: ["platform:*:*"],
  },
  {
    name: "platform_admin",
    holder: "platform",
    meaning: "Runs the installation; cannot delete organizations or manage the ledger's keys.",
    permissions: [
      "platform:org:create",
      "platform:org:read",
      "platform:org:write",
      "platform:org:suspend",
      "platform:metrics:read",
    ],
  },
  {
    name: "platform_viewer",
    holder: "platform",
    meaning: "Reads everywhere.",
    permissions: ["platform:*:read", ...READS],
  },
];

/** The `client` under which a policy's rule means these roles, and not those of the local directory. */
export const BUILT_IN_CLIENT = "countersign";

/** A role that people hold in an organization, so that a rule can find them by it. */
export function isOrganizationRole(name: string): boolean {
  return roleNamed(name)?.holder === "person";
}

export function roleNamed(name: string): Role | undefined {
  return ROLES.find((role) => role.name === name);
}

/** What those who run the installation are in an organization. */
const ADMINISTRATORS = ["admin", "org_admin", "auditor"];

/**
 * What these roles allow together. Platform roles act in an organization as its administrators while it is set as active
 * context (R-ORG-4); names nobody knows allow nothing.
 */
export function permissionsOf(roles: readonly string[]): readonly Permission[] {
  const own = roles.flatMap((name) => roleNamed(name)?.permissions ?? []);
  const runs = roles.includes("platform_superuser") || roles.includes("platform_admin");
  const administers = runs ? ADMINISTRATORS.flatMap((name) => roleNamed(name)?.permissions ?? []) : [];
  return [...new Set([...own, ...administers])];
}

/** Whose roles must have a factor: whoever may change something (R-FACT-10). */
export function mayWrite(permissions: readonly Permission[]): boolean {
  return permissions.some((permission) => !/:(?:read|list|read_all|simulate)$/.test(permission));
}

/** The roles that hold a permission, for the sentence of a refusal. */
export function rolesHolding(permission: Permission): readonly string[] {
  return ROLES.filter((role) => permits(role.permissions, permission)).map((role) => role.name);
}
