/**
 * What the gate writes at GitHub: one comment per request, found again by its marker when its id was lost, and the status of a commit.
 * Implements docs/spec/deploy.md R-GITHUB-3 and R-GITHUB-4. Both are safe to repeat.
 */
import { done, permanent, retry, type EffectResult } from "../../gates/deploy/effect-result.ts";
import type { CommitStatus, PullRequestComment } from "../../ports/version-control.ts";
import { commentAnswer, commentsAnswer, type GithubComment } from "./github-answers.ts";
import { messageOf, type GithubAnswer } from "./github-client.ts";
import { getFrom, readAnswer, type GithubPlace } from "./github-reads.ts";

const COMMENT_PAGES_MAX = 10;
/** What GitHub takes. */
const DESCRIPTION_MAX = 140;

export async function writeComment(place: GithubPlace, comment: PullRequestComment): Promise<EffectResult> {
  if (comment.id !== null) {
    const edited = await edit(place, comment.id, comment.text);
    if (!isGone(edited)) return written(edited, 200);
  }
  const found = await findComment(place, comment);
  if ("result" in found) return found;
  if (found.id !== null) return written(await edit(place, found.id, comment.text), 200);
  const path = `/issues/${String(comment.pull)}/comments`;
  return written(await send(place, { method: "POST", path, body: { body: comment.text } }), 201);
}

export async function postCommitStatus(place: GithubPlace, status: CommitStatus): Promise<EffectResult> {
  const { sha, state, context, url } = status;
  const description = status.description.slice(0, DESCRIPTION_MAX);
  const body = { state, context, description, target_url: url };
  const answer = await send(place, { method: "POST", path: `/statuses/${encodeURIComponent(sha)}`, body });
  return answer.kind === "answer" && answer.status === 201 ? done() : writeFault(answer);
}

interface Write {
  readonly method: "POST" | "PATCH";
  readonly path: string;
  readonly body: unknown;
}

export function send({ client, repo, signal }: GithubPlace, write: Write): Promise<GithubAnswer> {
  return client.call({ ...write, repo, ...(signal === undefined ? {} : { signal }) });
}

/** Why a write did not happen, and whether it may later. */
export function writeFault(answer: GithubAnswer): EffectResult {
  if (answer.kind === "unavailable") return retry(answer.detail, answer.retryAfterSeconds);
  const said = messageOf(answer.body);
  switch (answer.status) {
    case 404:
    case 410:
      return permanent("vcs_not_found", "GitHub does not know it, or the credential may not see it");
    case 401:
    case 403:
      return permanent("vcs_forbidden", `${String(answer.status)}: the credential may not write this (${said})`);
    default:
      return permanent("vcs_refused", `GitHub answered ${String(answer.status)}: ${said}`);
  }
}

function edit(place: GithubPlace, id: number, text: string): Promise<GithubAnswer> {
  return send(place, { method: "PATCH", path: `/issues/comments/${String(id)}`, body: { body: text } });
}

function isGone(answer: GithubAnswer): boolean {
  return answer.kind === "answer" && (answer.status === 404 || answer.status === 410);
}

function written(answer: GithubAnswer, expected: number): EffectResult {
  if (answer.kind !== "answer" || answer.status !== expected) return writeFault(answer);
  const read = commentAnswer.safeParse(answer.body);
  return read.success ? done({ comment_id: read.data.id }) : retry("GitHub did not say which comment it wrote");
}

/** Only a comment of our own counts: anybody can write a marker, and whoever owns a comment can change it later. */
async function findComment(
  place: GithubPlace,
  { pull, marker }: PullRequestComment,
): Promise<{ readonly id: number | null } | EffectResult> {
  const { client, repo, signal } = place;
  let login: string | null = null;
  for (let page = 1; page <= COMMENT_PAGES_MAX; page += 1) {
    const path = `/issues/${String(pull)}/comments?per_page=100&page=${String(page)}`;
    const answer = await getFrom(place, path);
    if (answer.kind === "answer" && answer.status !== 200) return writeFault(answer);
    const read = await readAnswer(place, answer, commentsAnswer);
    if (read.kind !== "found") return writeFault(answer);
    const marked = read.value.filter(({ body }) => body?.startsWith(marker) === true);
    if (marked.length > 0) login ??= await client.login(repo, signal);
    const ours = marked.find((comment) => isOurs(comment, client.authorization.appId, login));
    if (ours !== undefined) return { id: ours.id };
    if (answer.kind !== "answer" || !answer.hasNext) break;
  }
  return { id: null };
}

function isOurs(comment: GithubComment, appId: number | null, login: string | null): boolean {
  if (appId !== null) return comment.performed_via_github_app?.id === appId;
  return login !== null && comment.user === login;
}
