/**
 * What does somebody ask approval for? The members of a new deploy approval request, read in the order of the rule, with the
 * texts that clients know. Implements docs/spec/deploy.md R-REQ-1 and the forms of a commit in R-REQ-3.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";
import { commitIncomplete, invalidPayload, targetTokenUnknown } from "./request-refusals.ts";
import { utf8Length } from "./utf8-length.ts";

/** Which token it is for, as far as the caller says: by public id, or by its name or number. */
export type TargetToken = { readonly id: string } | { readonly nameOrNumber: string };

export interface RequestMembers {
  readonly message: string;
  /** Lower-case: full, or abbreviated and to be expanded before anything else happens. */
  readonly commit: string;
  readonly app: string;
  readonly branch: string | null;
  /** As sent. */
  readonly ciMetadata: JsonObject | null;
  /** Null: the calling token. */
  readonly targetToken: TargetToken | null;
  readonly images: Readonly<Record<string, string>>;
}

/** The body must be within 64 KiB before it gets here; members that nobody knows are ignored. */
export function readRequestMembers(body: unknown): RequestMembers | DeployRefusal {
  if (!isJsonObject(body)) return invalidPayload();
  const message = readMessage(body["message"]);
  if (message === null) return invalidPayload("message is required", [MESSAGE_RULE]);
  const commit = readCommit(body["git_commit_hash"]);
  if (typeof commit !== "string") return commit;
  const app = readApp(body["app"]);
  if (typeof app !== "string") return app;
  return readOptional(body, { message, commit, app });
}

export function isRequestMembers(value: RequestMembers | DeployRefusal): value is RequestMembers {
  return "ciMetadata" in value;
}

const MESSAGE_CHARACTERS_MAX = 2_000;
const MESSAGE_RULE = `It has 1 to ${MESSAGE_CHARACTERS_MAX} characters and no control characters but line feed and tab.`;

/** Controls except line feed and tab; halves of surrogate pairs, which no database keeps. */
const NOT_IN_MESSAGE = /[^\P{Cc}\n\t]|\p{Cs}/u;

function readMessage(json: JsonValue | undefined): string | null {
  const message = typeof json === "string" ? json.trim() : "";
  if (message === "" || NOT_IN_MESSAGE.test(message)) return null;
  return Array.from(message).length > MESSAGE_CHARACTERS_MAX ? null : message;
}

const FULL_COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const ABBREVIATED_COMMIT = /^[0-9a-f]{7,39}$/;

/** A full Git object id, SHA-1 or SHA-256: the only form that is stored, compared and shown. */
export function isFullCommit(commit: string): boolean {
  return FULL_COMMIT.test(commit);
}

/** Is this what the abbreviation stands for? What version control answers has to begin with it (deploy R-REQ-3). */
export function expands(abbreviated: string, full: string): boolean {
  return ABBREVIATED_COMMIT.test(abbreviated) && isFullCommit(full) && full.startsWith(abbreviated);
}

function readCommit(json: JsonValue | undefined): string | DeployRefusal {
  const commit = typeof json === "string" ? json.trim().toLowerCase() : "";
  if (commit === "") return invalidPayload("git_commit_hash is required");
  return isFullCommit(commit) || ABBREVIATED_COMMIT.test(commit) ? commit : commitIncomplete();
}

const APP = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function readApp(json: JsonValue | undefined): string | DeployRefusal {
  if (typeof json !== "string" || json === "") return invalidPayload("app is required");
  return APP.test(json) ? json : invalidPayload("app name is not valid");
}

function readOptional(
  body: JsonObject,
  required: Pick<RequestMembers, "message" | "commit" | "app">,
): RequestMembers | DeployRefusal {
  const branch = readBranch(body["git_branch"]);
  if (branch === undefined) return invalidPayload("git_branch is not a valid branch name");
  const ciMetadata = readMetadata(body["ci_metadata"]);
  if (ciMetadata === undefined) return invalidPayload("invalid ci_metadata", [METADATA_RULE]);
  const targetToken = readTarget(body["target_api_token_id"], body["target_api_token"]);
  if (targetToken === undefined) return targetTokenUnknown();
  const images = readImages(body["images"]);
  if (images === undefined) return invalidPayload("images must be pinned by digest", [IMAGES_RULE]);
  return { ...required, branch, ciMetadata, targetToken, images };
}

const BRANCH_BYTES_MAX = 255;

/** Undefined where it is no branch name. */
function readBranch(json: JsonValue | undefined): string | null | undefined {
  if (isAbsent(json)) return null;
  const branch = typeof json === "string" ? json.replace(/^refs\/heads\//, "") : "";
  return isBranchName(branch) && utf8Length(branch) <= BRANCH_BYTES_MAX ? branch : undefined;
}

/** git-check-ref-format(1), with `--branch`: no leading dash, and not `HEAD`. */
export function isBranchName(name: string): boolean {
  if (name === "" || name === "@" || name === "HEAD" || name.startsWith("-")) return false;
  if (NOT_IN_REF.test(name) || name.endsWith(".")) return false;
  return name.split("/").every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"));
}

/** ASCII controls, blanks, what revisions and patterns are written with; `..` and `@{`; halves of surrogate pairs. */
const NOT_IN_REF = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\p{Cs}/u;

const METADATA_BYTES_MAX = 16_384;
const METADATA_DEPTH_MAX = 5;
const METADATA_KEYS_MAX = 50;
const METADATA_RULE = `An object of at most 16 KiB, ${METADATA_KEYS_MAX} keys and ${METADATA_DEPTH_MAX} levels.`;

/** Undefined where it is not acceptable. */
function readMetadata(json: JsonValue | undefined): JsonObject | null | undefined {
  if (json === undefined || json === null) return null;
  if (!isJsonObject(json) || utf8Length(JSON.stringify(json)) > METADATA_BYTES_MAX) return undefined;
  const { keys, depth, isStorable } = measure(json);
  return keys <= METADATA_KEYS_MAX && depth <= METADATA_DEPTH_MAX && isStorable ? json : undefined;
}

interface Measure {
  readonly keys: number;
  readonly depth: number;
  /** No NUL and no half of a surrogate pair, which databases do not keep. */
  readonly isStorable: boolean;
}

/** 16 KiB hold a few thousand levels, which is within the stack. */
function measure(json: JsonValue): Measure {
  if (typeof json === "string") return { keys: 0, depth: 0, isStorable: !/\0|\p{Cs}/u.test(json) };
  if (typeof json !== "object" || json === null) return { keys: 0, depth: 0, isStorable: true };
  const names = isJsonObject(json) ? Object.keys(json) : [];
  const below = [...names, ...Object.values<JsonValue>(json)].map(measure);
  return {
    keys: below.reduce((sum, { keys }) => sum + keys, names.length),
    depth: below.reduce((most, { depth }) => Math.max(most, depth), 0) + 1,
    isStorable: below.every((one) => one.isStorable),
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TOKEN_NAME_MAX = 150;

/** Undefined where it cannot name a token. */
function readTarget(id: JsonValue | undefined, name: JsonValue | undefined): TargetToken | null | undefined {
  if (!isAbsent(id)) {
    const text = typeof id === "string" ? id.toLowerCase() : "";
    return UUID.test(text) ? { id: text } : undefined;
  }
  if (isAbsent(name)) return null;
  if (typeof name !== "string" || Array.from(name).length > TOKEN_NAME_MAX) return undefined;
  return { nameOrNumber: name };
}

const IMAGES_MAX = 100;
const IMAGE_MAX = 512;
const IMAGES_RULE = `An object of at most ${IMAGES_MAX} services, each repository[:tag]@sha256:<64 hexadecimal digits>.`;
const SERVICE = /^(?:resources\.)?[a-z0-9][a-z0-9-]{0,62}(?:\.initContainer)?$/;
const PINNED_IMAGE = /^[A-Za-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}$/;

/** Undefined where one of them is not pinned. */
function readImages(json: JsonValue | undefined): Readonly<Record<string, string>> | undefined {
  if (json === undefined || json === null) return {};
  if (!isJsonObject(json)) return undefined;
  const pinned = Object.entries(json).flatMap(([service, image]) => pinnedImage(service, image));
  const isAll = pinned.length === Object.keys(json).length && pinned.length <= IMAGES_MAX;
  return isAll ? Object.fromEntries(pinned) : undefined;
}

function pinnedImage(service: string, image: JsonValue): readonly (readonly [string, string])[] {
  const isPinned = typeof image === "string" && image.length <= IMAGE_MAX && PINNED_IMAGE.test(image);
  return isPinned && SERVICE.test(service) ? [[service, image]] : [];
}

/** Clients leave out what they do not have, or send it empty. */
function isAbsent(json: JsonValue | undefined): boolean {
  return json === undefined || json === null || json === "";
}
