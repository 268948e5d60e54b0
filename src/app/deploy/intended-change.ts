/** What an approval remembers of a call before it is sent to the rack (docs/spec/deploy.md R-STATE-6, R-ALLOW-4, R-BIND-8). */
import type { Instant } from "../../core/person.ts";
import type { DeployBuild, DeployCommand, DeployPromote } from "../../gates/deploy/deploy-records.ts";
import type { GatedPermit } from "../../gates/deploy/gated-facts.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import type { CallFigures } from "./call-entry.ts";

interface Intended {
  readonly permit: GatedPermit;
  readonly record: DeployApprovalRecord;
}

export interface IntendedChange {
  /** Null where nothing is remembered but the entry. */
  readonly record: DeployApprovalRecord | null;
  readonly figures: CallFigures;
}

/** `pid` of the call, where it names one. */
export function intendedChange({ permit, record }: Intended, pid: string | null, at: Instant): IntendedChange {
  switch (permit.action) {
    case "build_create":
      return buildChange(record, permit, at);
    case "release_promote": {
      const { attempt, releaseId } = permit;
      const promote: DeployPromote = { attempt, releaseId, outcome: "pending", startedAt: at };
      const promotes = [...record.promotes, promote];
      return { record: { ...record, version: record.version + 1, promotes }, figures: { release: releaseId } };
    }
    case "process_start":
      return commandChange(record, { kind: "start", pid, command: permit.command, at });
    case "process_exec":
      return commandChange(record, { kind: "exec", pid, command: permit.command, at });
    case "object_create":
    case "build_read":
    case "build_logs":
    case "release_read":
    case "process_terminate":
      return { record: null, figures: {} };
  }
}

function buildChange(
  record: DeployApprovalRecord,
  { object, form, attempt }: Extract<GatedPermit, { readonly action: "build_create" }>,
  at: Instant,
): IntendedChange {
  const build: DeployBuild = {
    ...{ attempt, id: null, status: "creating", releaseId: null, startedAt: at },
    ...{ objectKey: object.key, manifest: form.manifest },
  };
  const manifest = object.manifests.find(({ path }) => path === form.manifest)?.text ?? "";
  const next = { ...record, version: record.version + 1, builds: [...record.builds, build] };
  return {
    // An archive that could have been of several commits is pinned to this one now (R-BIND-6).
    record: { ...next, sourceDigest: record.sourceDigest ?? object.sourceDigest },
    figures: { manifest, objectDigest: `sha256:${object.objectSha256}`, images: imagesNow(record) },
  };
}

/** The reference of each position with its digest, where it has one. */
function imagesNow({ imageDigests }: DeployApprovalRecord): readonly string[] {
  const latest = new Map(
    imageDigests.map(({ key, image, digest }) => [key, digest === null ? image : `${image}@${digest}`]),
  );
  return [...latest.values()];
}

function commandChange(record: DeployApprovalRecord, run: DeployCommand): IntendedChange {
  const { kind, pid, command } = run;
  const isEntered = kind === "exec" && pid !== null;
  const execCommands = isEntered ? { ...record.execCommands, [pid]: command } : record.execCommands;
  const commands = [...record.commands, run];
  return { record: { ...record, version: record.version + 1, commands, execCommands }, figures: { command } };
}
