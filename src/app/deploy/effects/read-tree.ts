/**
 * Reads the files of the commit after it was asked for, so that what is uploaded can be compared with it, and tells the request
 * how far that got (docs/spec/deploy.md R-SOURCE-1).
 */
import type { TreeEntry, VcsAnswer } from "../../../gates/deploy/vcs-facts.ts";
import type { DeploySourceTree, DeployTreeRecord } from "../../../ports/deploy-records.ts";
import type { EffectHandler, EffectOutcome } from "../../../ports/effects.ts";
import { recordsBy } from "../../../ports/records.ts";
import type { Repository } from "../../../ports/version-control.ts";
import type { Application } from "../../application.ts";
import { retry } from "../../../gates/deploy/effect-result.ts";
import { approvalCommand } from "../approval-change.ts";
import { treeRecordId } from "../tree-record-id.ts";
import { deploySubject, isSubject, type DeploySubject } from "./deploy-subject.ts";
import { effectOutcome } from "./effect-outcome.ts";
import { isRepository, repositoryOfSubject } from "./effect-repository.ts";
import { linkOf, workerEntry } from "./record-ci.ts";

/** After so many attempts the approver is told that the files cannot be read; a later attempt may still mend it. */
const ATTEMPTS_QUIET = 3;

export function readTree(installation: Application): EffectHandler {
  return async (effect) => {
    const subject = await deploySubject(installation, effect);
    if (!isSubject(subject)) return subject;
    const { record } = subject.view;
    if (record.sourceTree.state === "ready") return { kind: "done", result: { tree: record.sourceTree.treeId } };
    const repository = repositoryOfSubject(subject);
    if (!isRepository(repository)) {
      await recordSourceTree(subject, { state: "unavailable", why: "no readable repository is set for this app" });
      return repository;
    }
    const read = await readFiles(subject, repository);
    if (read.kind === "found") {
      const { id, treeId, fileCount } = read.value;
      await recordSourceTree(subject, { state: "ready", treeId, fileCount });
      return { kind: "done", result: { tree: id, files: fileCount } };
    }
    return unread(subject, read, effect.attempts);
  };
}

interface StoredTree {
  readonly id: string;
  readonly treeId: string;
  readonly fileCount: number;
}

async function readFiles(subject: DeploySubject, repository: Repository): Promise<VcsAnswer<StoredTree>> {
  const { app, view, settings } = subject;
  const known = await treeIdOf(subject, repository);
  if (known.kind !== "found") return known;
  const treeId = known.value;
  const id = treeRecordId({ record: view.record, repository: settings.app.vcsRepo.value, treeId });
  const [stored] = await app.reader.records(recordsBy("deployTree", "id", [id]));
  if (stored !== undefined) return { kind: "found", value: { id, treeId, fileCount: stored.files.length } };
  const read = await repository.tree(treeId);
  if (read.kind !== "found") return read;
  await app.scratch.add("deployTree", treeRecord(app, { id, treeId }, read.value));
  return { kind: "found", value: { id, treeId, fileCount: read.value.length } };
}

async function treeIdOf({ view }: DeploySubject, repository: Repository): Promise<VcsAnswer<string>> {
  const { sourceTree, facts, commit } = view.record;
  const known = (sourceTree.state === "pending" ? sourceTree.treeId : null) ?? facts.commit?.treeId ?? null;
  if (known !== null) return { kind: "found", value: known };
  const read = await repository.commit(commit);
  if (read.kind !== "found") return read;
  if (read.value.sha !== commit) return { kind: "absent" };
  return { kind: "found", value: read.value.tree };
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

/** Never back from ready: an approval may rest on it. */
async function recordSourceTree(subject: DeploySubject, sourceTree: DeploySourceTree): Promise<void> {
  const { app } = subject;
  await app.store.submit(
    approvalCommand<null>({
      ...{ name: "record_source_tree", approval: linkOf(subject), otherwise: null },
      change({ record }) {
        const before = record.sourceTree;
        const isSame =
          before.state === "unavailable" && sourceTree.state === "unavailable" && before.why === sourceTree.why;
        if (before.state === "ready" || isSame) return null;
        const facts = { action: "source.read", source_tree: { ...sourceTree } };
        return {
          ...{ record: { ...record, sourceTree }, answer: null },
          entries: [workerEntry(subject, "deploy.call_ended", facts)],
        };
      },
    }),
  );
}
