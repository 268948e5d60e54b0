/**
 * Is this a permission that tokens and roles of the deploy family can be given? The grammar is the installation's; here are the
 * words. Implements docs/spec/deploy.md R-PERM-1 and R-PERM-2.
 */
import { readPermission, type Permission } from "../../core/permission.ts";
import { appSettingRows, globalSettingRows } from "./deploy-settings.ts";

/** The permission in its one spelling; null where a scope, resource or action of it is unknown. */
export function deployPermission(text: string): Permission | null {
  const permission = readPermission(text);
  if (permission === null || permission === LEDGER_READ) return permission;
  const [scope, resource, action] = permission.split(":");
  const isKnown = isWord(SCOPES, scope) && isWord(RESOURCES, resource) && isAction(resource, action);
  return isKnown ? permission : null;
}

/** What `gateway:audit_log:read` and `gateway:ledger:read` are one spelling of. */
const LEDGER_READ = "ledger:entry:read";

function isWord(words: ReadonlySet<string>, word: string | undefined): boolean {
  return word !== undefined && (word === "*" || words.has(word));
}

/** What is done to settings is named by the setting. */
function isAction(resource: string | undefined, action: string | undefined): boolean {
  if (isWord(ACTIONS, action)) return true;
  if (resource === "setting") return isWord(SETTINGS, action);
  return resource === "setting_group" && isWord(GROUPS, action);
}

const SCOPES: ReadonlySet<string> = new Set(["auth", "convox", "gateway", "security"]);

const RESOURCES: ReadonlySet<string> = new Set([
  ...["app", "build", "cert", "deploy", "env", "instance", "log", "object", "process", "rack", "registry", "release"],
  ...["resource", "api_token", "deploy_approval_request", "integration", "job", "secret", "setting", "setting_group"],
  ...["user", "auth", "mfa_backup_codes", "mfa_method", "mfa_preferences", "mfa_verification", "trusted_device"],
  ...["audit_log", "ledger"],
]);

const ACTIONS: ReadonlySet<string> = new Set([
  ...["add", "approve", "cancel", "create", "delete", "deploy_with_approval", "exec", "export", "generate", "import"],
  ...["keyroll", "list", "manage", "promote", "read", "remove", "restart", "set", "start", "stop", "terminate"],
  ...["unset", "update", "update_name"],
]);

const ROWS = [...Object.values(globalSettingRows), ...Object.values(appSettingRows)];
const SETTINGS: ReadonlySet<string> = new Set(ROWS.map(({ key }) => key));
const GROUPS: ReadonlySet<string> = new Set(ROWS.map(({ group }) => group).filter((group) => group !== "own"));
