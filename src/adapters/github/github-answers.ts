/**
 * What GitHub's answers must look like before anything is read from them (docs/spec/deploy.md R-CI-8). Only the members that are used;
 * what is longer than it has reason to be is not believed.
 */
import { z } from "zod";
import type { CommitFacts, PullRequest, TreeEntry } from "../../gates/deploy/vcs-facts.ts";

const objectId = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const account = z.object({ login: z.string().max(200) });

export const branchAnswer = z.object({ commit: z.object({ sha: objectId }) });

const signature = z.object({
  name: z.string().default(""),
  email: z.string().default(""),
  date: z.string().optional(),
});

/** An account that GitHub could not match is null, or an empty object. */
const matched = z
  .unknown()
  .transform((value) => account.safeParse(value))
  .transform(({ success, data }) => (success ? data.login : null));

export const commitAnswer = z
  .object({
    sha: objectId,
    commit: z.object({
      message: z.string(),
      tree: z.object({ sha: objectId }),
      author: signature.nullable(),
      committer: signature.nullable(),
    }),
    author: matched,
    committer: matched,
  })
  .transform(({ sha, commit, author, committer }): CommitFacts => {
    const { message, tree } = commit;
    return {
      ...{ sha, message, tree: tree.sha, committedAt: commit.committer?.date ?? null },
      author: { name: commit.author?.name ?? "", email: commit.author?.email ?? "", login: author },
      committer: { name: commit.committer?.name ?? "", email: commit.committer?.email ?? "", login: committer },
    };
  });

export const comparisonAnswer = z.object({
  status: z.string(),
  ahead_by: z.number().int(),
  merge_base_commit: z.object({ sha: objectId }),
});

export const rangeAnswer = z.object({ ahead_by: z.number().int(), commits: z.array(commitAnswer) });

const pullAnswer = z
  .object({
    number: z.number().int().positive(),
    title: z.string(),
    state: z.enum(["open", "closed"]),
    draft: z.boolean().default(false),
    user: matched,
    head: z.object({ sha: objectId, ref: z.string() }),
  })
  .transform(({ number, title, state, draft, user, head }): PullRequest => ({
    ...{ number, title, draft, open: state === "open", author: user },
    ...{ headSha: head.sha, headBranch: head.ref },
  }));

export const pullsAnswer = z.array(pullAnswer);

export const reviewsAnswer = z.array(z.object({ user: matched, state: z.string() }));

export const treeAnswer = z.object({
  truncated: z.boolean(),
  tree: z.array(
    z.object({
      path: z.string().min(1),
      mode: z.string(),
      type: z.enum(["blob", "tree", "commit"]),
      sha: objectId,
      size: z.number().int().nonnegative().optional(),
    }),
  ),
});
export type TreeAnswer = z.infer<typeof treeAnswer>;

export function treeEntry({ path, mode, sha, size }: TreeAnswer["tree"][number], below: string): TreeEntry {
  return { path: `${below}${path}`, mode, sha, size: size ?? null };
}

export const fileAnswer = z.object({
  type: z.literal("file"),
  encoding: z.literal("base64"),
  content: z.string(),
  size: z.number().int().nonnegative(),
});

const comment = z.object({
  id: z.number().int().positive(),
  body: z.string().nullish(),
  user: matched,
  performed_via_github_app: z.object({ id: z.number() }).nullish(),
});
export const commentAnswer = comment;
export const commentsAnswer = z.array(comment);
export type GithubComment = z.infer<typeof comment>;

export const combinedStatusAnswer = z.object({
  state: z.string(),
  total_count: z.number().int(),
  statuses: z.array(z.object({ context: z.string().default(""), state: z.string() })).default([]),
});
export const checkRunsAnswer = z.object({
  check_runs: z.array(z.object({ status: z.string(), conclusion: z.string().nullable() })),
});

export const runAnswer = z.object({
  status: z.string(),
  conclusion: z.string().nullable(),
  head_sha: objectId,
  repository: z.object({ full_name: z.string() }),
});
export const pendingDeploymentsAnswer = z.array(z.object({ environment: z.object({ name: z.string() }) }));
