/**
 * Reads the files of the bound tree after approval for it was asked, so that what is uploaded can be compared with them, and tells the
 * request how far that got, until the first decision (docs/spec/deploy.md R-SOURCE-1, R-REQ-7).
 */
import type { Request } from "../../../core/request.ts";
import type { TreeEntry, VcsAnswer } from "../../../gates/deploy/vcs-facts.ts";
import type { DeploySourceTree, DeployTreeRecord } from "../../../ports/deploy-records.ts";
import type { EffectHandler, EffectOutcome } from "../../../ports/effects.ts";
import { recordsBy } from "../../../ports/records.ts";
import type { Repository } from "../../../ports/version-control.ts";
import type { Application } from "../../application.ts";
import { retry } from "../../../gates/deploy/effect-result.ts";
import { approvalCommand } from "../approval-change.ts";
import { SOURCE_UNVERIFIED, sourceWarnings } from "../new-deploy-approval.ts";
import { treeRecordId } from "../tree-record-id.ts";
import { deploySubject, isSubject, type DeploySubject } from "./deploy-subject.ts";
import { effectOutcome, notConfigured, withdrawn } from "./effect-outcome.ts";
import { isRepository, repositoryOfSubject } from "./effect-repository.ts";
import { linkOf, workerEntry } from "./record-ci.ts";

/** After so many attempts the approver is told that the files cannot be read; a later attempt may still mend it. */
const ATTEMPTS_QUIET = 3;

export function readTree(installation: Application): EffectHandler {
  return async (effect) => {
    const subject = await deploySubject(installation, effect);
    if (!isSubject(subject)) return subject;
    const { record, request } = subject.view;
    if (record.sourceTree.state === "ready") return { kind: "done", result: { tree: record.sourceTree.treeId } };
    const treeId = boundTree(request);
    // Why there is none was told when it was asked for.
    if (treeId === null) return notConfigured("The request is bound to no tree of the commit");
    if (isDecided(request)) {
      await recordSourceTree(subject, TOO_LATE);
      return withdrawn("approval_decided", TOO_LATE.why);
    }
    const repository = repositoryOfSubject(subject);
    if (!isRepository(repository)) {
      await recordSourceTree(subject, { state: "unavailable", why: "no readable repository is set for this app" });
      return repository;
    }
    const read = await readFiles(subject, repository, treeId);
    if (read.kind === "found") {
      const { id, fileCount } = read.value;
      await recordSourceTree(subject, { state: "ready", treeId, fileCount });
      return { kind: "done", result: { tree: id, files: fileCount } };
    }
    return unread(subject, read, effect.attempts);
  };
}

const TOO_LATE = { state: "unavailable", why: "the commit's files were not read before the first decision" } as const;

/** What every decision names with the request's digest. */
function boundTree({ context }: Request): string | null {
  const tree = context["source_tree"];
  return typeof tree === "string" ? tree : null;
}

function isDecided({ stages }: Request): boolean {
  return stages.some(({ decisions }) => decisions.length > 0);
}

interface StoredTree {
  readonly id: string;
  readonly fileCount: number;
}

async function readFiles(
  { app, view, settings }: DeploySubject,
  repository: Repository,
  treeId: string,
): Promise<VcsAnswer<StoredTree>> {
  const id = treeRecordId({ record: view.record, repository: settings.app.vcsRepo.value, treeId });
  const [stored] = await app.reader.records(recordsBy("deployTree", "id", [id]));
  if (stored !== undefined) return { kind: "found", value: { id, fileCount: stored.files.length } };
  const read = await repository.tree(treeId);
  if (read.kind !== "found") return read;
  await app.scratch.add("deployTree", treeRecord(app, { id, treeId }, read.value));
  return { kind: "found", value: { id, fileCount: read.value.length } };
}

const SHA256_LENGTH = 64;

function treeRecord(
  { orgId, clock }: Application,
  { id, treeId }: { readonly id: string; readonly treeId: string },
  files: readonly TreeEntry[],
): DeployTreeRecord {
  return {
    ...{ id, orgId, readAt: clock() },
    objectFormat: treeId.length === SHA256_LENGTH ? "sha256" : "sha1",
    files: files.map(({ path, mode, sha, size }) => ({ path, mode, blob: sha, size })),
  };
}

async function unread(
  subject: DeploySubject,
  answer: Exclude<VcsAnswer<unknown>, { readonly kind: "found" }>,
  attempts: number,
): Promise<EffectOutcome> {
  if (answer.kind === "unavailable") {
    const { detail, retryAfterSeconds } = answer;
    if (attempts >= ATTEMPTS_QUIET) await recordSourceTree(subject, { state: "unavailable", why: detail });
    return effectOutcome(retry(detail, retryAfterSeconds), "vcs_unavailable");
  }
  const why =
    answer.kind === "absent" ? "the commit is not in the repository" : "the repository cannot be seen by the server";
  await recordSourceTree(subject, { state: "unavailable", why });
  return { kind: "failed", error: { code: "vcs_not_found", message: why } };
}

/** Never back from ready: an approval may rest on it. Nor to it after a decision: whoever decided did not see it. */
async function recordSourceTree(subject: DeploySubject, found: DeploySourceTree): Promise<void> {
  const { app, settings } = subject;
  const isChecked = settings.app.verifySource.value !== "off";
  await app.store.submit(
    approvalCommand<null>({
      ...{ name: "record_source_tree", approval: linkOf(subject), otherwise: null },
      change({ record, request }) {
        const before = record.sourceTree;
        const sourceTree = found.state === "ready" && isDecided(request) ? TOO_LATE : found;
        const isSame =
          before.state === "unavailable" && sourceTree.state === "unavailable" && before.why === sourceTree.why;
        if (before.state === "ready" || isSame) return null;
        const facts = { action: "source.read", source_tree: { ...sourceTree } };
        const others = record.warnings.filter(({ code }) => code !== SOURCE_UNVERIFIED);
        const warnings = [...others, ...(isChecked ? sourceWarnings(sourceTree) : [])];
        return {
          ...{ record: { ...record, sourceTree, warnings }, answer: null },
          entries: [workerEntry(subject, "deploy.call_ended", facts)],
        };
      },
    }),
  );
}
