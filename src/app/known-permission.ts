/**
 * Is this a permission that something here asks for? Whoever writes one down is told of a slip at once, and not by a refusal
 * when it is needed. Implements docs/spec/identity.md R-AUTHZ-5; the words of the deploy family are in its own gate.
 */
import { readPermission, type Permission } from "../core/permission.ts";
import { deployPermission } from "../gates/deploy/deploy-permission.ts";

type Words = Readonly<Record<string, readonly string[]>>;

/** By scope and resource, the actions that there are. */
const WORDS: Readonly<Record<string, Words>> = {
  approval: {
    request: ["create", "read", "read_all", "cancel_all", "resolve"],
    task: ["reassign", "override", "decide"],
    policy: ["read", "write", "simulate", "activate"],
    delivery: ["read", "retry"],
    delegation: ["read", "manage"],
    break_glass: ["open", "review"],
  },
  cert: {
    request: ["create", "read", "void", "decide"],
    certificate: ["read", "revoke"],
    profile: ["read", "write"],
    ca: ["read", "write"],
    connector: ["use"],
    discovery: ["write"],
  },
  ledger: { entry: ["read"], checkpoint: ["read"], export: ["create"], verify: ["run"], key: ["manage"] },
  org: {
    user: ["read", "invite", "write", "suspend", "recover", "merge"],
    role: ["assign"],
    factor: ["vouch"],
    setting: ["read", "write"],
    identity_provider: ["read", "write"],
    workload: ["read", "write"],
    directory: ["read", "write"],
    webhook: ["write"],
    machine: ["read", "write"],
    token: ["read", "write", "unlimited"],
  },
  platform: {
    org: ["create", "read", "write", "suspend"],
    user: ["write"],
    metrics: ["read"],
    ledger: ["export"],
    quarantine: ["release"],
  },
};

/** The permission in its one spelling; null where no route, role or gate knows it. `*` must stand for something. */
export function knownPermission(text: string): Permission | null {
  const permission = readPermission(text);
  if (permission === null) return null;
  const [scope = "", resource = "", action = ""] = permission.split(":");
  const words = Object.hasOwn(WORDS, scope) ? WORDS[scope] : undefined;
  if (words === undefined) return deployPermission(permission);
  const known = Object.entries(words).filter(([name]) => resource === "*" || name === resource);
  const isKnown = known.some(([, actions]) => action === "*" || actions.includes(action));
  return isKnown ? permission : null;
}
