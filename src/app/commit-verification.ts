/**
 * Asks version control what the judgement of a commit needs, one fact after the other, and no more once it can tell. Implements the calls of
 * docs/spec/deploy.md R-GITHUB-2 and R-VCS-3 in the order of their steps.
 */
import type { DeployRefusal } from "../gates/deploy/deploy-refusal.ts";
import {
  verifyCommit,
  verifyStillCurrent,
  type CommitAnswers,
  type CommitNeed,
  type CommitQuestion,
  type VerifiedCommit,
} from "../gates/deploy/verify-commit.ts";
import type { Repository } from "../ports/version-control.ts";

/** At creation. */
export async function askAboutCommit(
  repository: Repository,
  question: CommitQuestion,
): Promise<VerifiedCommit | DeployRefusal> {
  let answers: CommitAnswers = {};
  for (;;) {
    const verdict = verifyCommit(question, answers);
    switch (verdict.verdict) {
      case "refused":
        return verdict.refusal;
      case "verified":
        return verdict.verified;
      case "ask":
        answers = { ...answers, ...(await ask(repository, question, answers, verdict.need)) };
    }
  }
}

/** At approval; null when nothing has changed. */
export async function askStillCurrent(repository: Repository, question: CommitQuestion): Promise<DeployRefusal | null> {
  let answers: CommitAnswers = {};
  for (;;) {
    const verdict = verifyStillCurrent(question, answers);
    switch (verdict.verdict) {
      case "refused":
        return verdict.refusal;
      case "current":
        return null;
      case "ask":
        answers = { ...answers, ...(await ask(repository, question, answers, verdict.need)) };
    }
  }
}

async function ask(
  repository: Repository,
  { commit, branch }: CommitQuestion,
  { head }: CommitAnswers,
  need: CommitNeed,
): Promise<CommitAnswers> {
  const name = branch ?? "";
  switch (need) {
    case "head":
      return { head: await repository.branchHead(name) };
    case "comparison":
      return { comparison: await repository.contains(head?.kind === "found" ? head.value : name, commit) };
    case "pulls":
      return { pulls: await repository.pullRequests(commit, name) };
    case "commit":
      return { commit: await repository.commit(commit) };
  }
}
