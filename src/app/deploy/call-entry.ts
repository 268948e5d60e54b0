/**
 * A call to a rack as the ledger keeps it: who called what, from where, under which approval, and what became of it. Implements
 * docs/spec/deploy.md R-AUDIT-1 and the row deploy of docs/spec/ledger.md section 5; what names people and apps is committed to.
 */
import type { RequestId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Actor } from "../../core/person.ts";
import type { DescribedEntry } from "../../ports/change-set.ts";
import { describe, hidden, type EntryData, type EntryTools } from "../entry-writer.ts";
import { hex, ledgerActor, ledgerId, utf8 } from "../ledger-names.ts";

export type CallKind =
  | "call_intended"
  | "call_ended"
  | "call_read"
  | "object_uploaded"
  | "build_created"
  | "release_created"
  | "release_promoted"
  | "process_started"
  | "process_exec_started"
  | "process_exec_ended"
  | "process_terminated"
  | "env_changed"
  | "app_changed"
  | "rack_changed"
  | "rack_params_set"
  | "images_resolved"
  | "image_changed"
  | "drift_found";

/** The approval under which a call is made, as entries name it. */
export interface CallApproval {
  /** Public id. */
  readonly id: string;
  readonly requestId: RequestId;
  readonly digest: string;
}

/** The same for all entries of one call. */
export interface CallAbout {
  readonly orgId: string;
  readonly actor: Actor;
  readonly credentialKind: string;
  /** Name of the rack. */
  readonly scope: string;
  /** Null where the call is about no app. */
  readonly app: string | null;
  /** `build.create` (deploy R-AUDIT-1). */
  readonly action: string;
  readonly method: string;
  /** The route's template: `/apps/{app}/builds`. */
  readonly route: string;
  /** Parameters of the route besides the app. */
  readonly names: Readonly<Record<string, string>>;
  readonly address: string;
  readonly userAgent: string | null;
  readonly requestId: string;
  /** `disabled`: an approval would have been asked for, had they not been switched off (deploy R-REQ-14). */
  readonly approval: CallApproval | "disabled" | null;
}

export interface CallFigures {
  readonly status?: number | null;
  readonly durationMs?: number;
  readonly build?: string | null;
  readonly release?: string | null;
  /** `sha256:…` */
  readonly objectDigest?: string | null;
  readonly manifest?: string;
  readonly images?: readonly string[];
  readonly command?: string;
  readonly keysChanged?: number;
  readonly exitCode?: number | null;
  /** Further circumstances, committed to. */
  readonly more?: JsonObject;
}

export function callEntry(
  tools: EntryTools,
  kind: CallKind,
  about: CallAbout,
  figures: CallFigures = {},
): DescribedEntry {
  const { approval, actor } = about;
  const isLinked = approval !== null && approval !== "disabled";
  return describe(
    {
      ...{ org: ledgerId("org", about.orgId), kind: `deploy.${kind}`, actor: ledgerActor(actor, tools.sha256) },
      credential: actor.credential,
      resource: isLinked ? { digest: approval.digest, gate: "deploy" } : null,
      request: isLinked ? ledgerId("req", approval.requestId) : null,
      data: dataOf(tools, about, figures),
    },
    tools,
  );
}

/** Where a call came from and what it was about, for the entry's opening and for refusals. */
export function callCircumstances(about: CallAbout): JsonObject {
  const { approval, app, userAgent, address, requestId, credentialKind, method, route, scope, action, names } = about;
  const link: JsonObject =
    approval === null
      ? {}
      : approval === "disabled"
        ? { approval: "disabled" }
        : { deploy_approval_request_id: approval.id };
  return {
    ...{ address, user_agent: userAgent, request_id: requestId, credential_kind: credentialKind },
    ...{ method, route, scope, action, app, names: { ...names } },
    ...link,
  };
}

function dataOf(tools: EntryTools, about: CallAbout, figures: CallFigures): EntryData {
  const { durationMs, manifest, images, command, build, release, more = {} } = figures;
  const circumstances = { ...callCircumstances(about), ...(command === undefined ? {} : { command }), ...more };
  const digestOf = (text: string): string => `sha256:${hex(tools.sha256(utf8(text)))}`;
  return defined({
    app: hidden(about.app),
    ctx: hidden(circumstances),
    status: figures.status,
    duration_ms: durationMs === undefined ? undefined : Math.max(0, Math.round(durationMs)),
    build: build === undefined ? undefined : hidden(build),
    release: release === undefined ? undefined : hidden(release),
    object_digest: figures.objectDigest,
    manifest_digest: manifest === undefined ? undefined : digestOf(manifest),
    images: images?.map(digestOf),
    command_digest: command === undefined ? undefined : digestOf(command),
    keys_changed: figures.keysChanged,
    exit_code: figures.exitCode,
  });
}

/** Only what was said. */
function defined(members: Readonly<Record<string, EntryData[string] | undefined>>): EntryData {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}
