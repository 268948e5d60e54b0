/**
 * What is on the screen when somebody decides? A typed document that the page renders block by block and nothing else; its
 * digest stands in the statement that is signed. Implements docs/spec/identity.md section 7.1: blocks, renderer version,
 * locale, and a random salt that keeps the digest from telling what was shown.
 */
import type { Assurance } from "../../core/assurance-level.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { Policy, Stage } from "../../core/policy.ts";
import type { Request, Task } from "../../core/request.ts";

/** A page that does not know this version shows nothing at all. */
const RENDERER = "generic/1";

export interface Shown {
  readonly request: Request;
  readonly policy: Policy;
  readonly stage: Stage;
  readonly task: Task;
  /** The version that new requests would get now; null when none is active. */
  readonly activeVersion: number | null;
  /** base64url of random bytes. */
  readonly salt: string;
}

export function displayDocument(shown: Shown): JsonObject {
  const { request, salt } = shown;
  const { creator } = request;
  return {
    ...{ v: 1, type: "countersign/display", renderer: RENDERER, locale: "en", salt },
    blocks: [
      { type: "title", text: titleOf(request) },
      { type: "fields", fields: { artifact_type: request.artifactType, artifact_id: request.artifactId } },
      { type: "context", context: request.context },
      { type: "requester", requester: request.requester, made_by: creator.assignee, machine: creator.machine },
      policyBlock(shown),
      stageBlock(shown),
      { type: "binding", digest: request.digest, revision: request.revision, expires_at: timeText(request.expiresAt) },
      { type: "meaning", text: MEANINGS[shown.stage.assurance] },
    ],
  };
}

/** Which parts of the request are no longer as the document shows them: `artifact_id`, `requester`, `context.amount`. */
export function changedSince(document: JsonObject, request: Request): string[] {
  const { artifactType, artifactId, requester, context } = request;
  const fields = memberOf(blockOf(document, "fields"), "fields");
  const shown = { ...objectOf(fields), requester: memberOf(blockOf(document, "requester"), "requester") ?? null };
  const shownContext = objectOf(memberOf(blockOf(document, "context"), "context"));
  return [
    ...differing(shown, { artifact_type: artifactType, artifact_id: artifactId, requester }),
    ...differing(shownContext, context).map((name) => `context.${name}`),
  ];
}

function titleOf({ context, artifactType, artifactId }: Request): string {
  const given = ["title", "record_name", "name"].map((name) => memberOf(context, name));
  const title = given.find((value) => typeof value === "string" && value.trim() !== "");
  return typeof title === "string" ? title : `${artifactType} ${artifactId}`;
}

function policyBlock({ request, policy, activeVersion }: Shown): JsonObject {
  const { key, version, digest } = request.policy;
  return { type: "policy", key, name: policy.name, version, digest, active_version: activeVersion };
}

function stageBlock({ stage, task }: Shown): JsonObject {
  return {
    ...{ type: "stage", order: stage.order, name: stage.name, mode: stage.mode, mode_value: stage.modeValue },
    ...{ assignee: task.assignee, kind: task.kind, on_behalf_of: task.delegatedFrom, assurance: stage.assurance },
    due_at: task.dueAt === null ? null : timeText(task.dueAt),
  };
}

const MEANINGS: Readonly<Record<Assurance, string>> = {
  session: "Your decision is recorded in your name, bound to exactly what is shown here.",
  mfa: "Your decision is recorded in your name, bound to exactly what is shown here, with the factor that you prove for it.",
  signed:
    "Your passkey signs your decision on exactly what is shown here. Anybody who holds the evidence can check that it was you.",
};

function timeText(at: number): string {
  return new Date(at).toISOString();
}

function blockOf(document: JsonObject, type: string): JsonObject {
  const { blocks } = document;
  const list: readonly JsonValue[] = isList(blocks) ? blocks : [];
  return objectOf(list.find((block) => isJsonObject(block) && block["type"] === type));
}

/** Names of members that differ, or that one of the two lacks. */
function differing(before: JsonObject, now: JsonObject): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => JSON.stringify(memberOf(before, name)) !== JSON.stringify(memberOf(now, name)));
}

function memberOf(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
