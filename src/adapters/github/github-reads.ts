/**
 * What does an answer of GitHub mean? A name that is not there and a repository that is not there answer the same 404; they are told
 * apart by asking for the repository. Implements the last row of docs/spec/deploy.md R-GITHUB-2.
 */
import type { z } from "zod";
import type { VcsAnswer } from "../../gates/deploy/vcs-facts.ts";
import type { GithubAnswer, GithubClient } from "./github-client.ts";

/** Where calls go, and until when. */
export interface GithubPlace {
  readonly client: GithubClient;
  readonly repo: string;
  readonly signal?: AbortSignal;
}

export function getFrom({ client, repo, signal }: GithubPlace, path: string, bytesMax?: number): Promise<GithubAnswer> {
  return client.call({
    ...{ method: "GET" as const, repo, path },
    ...(bytesMax === undefined ? {} : { bytesMax }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The value of a successful answer, or what it means that there is none. */
export async function readAnswer<Schema extends z.ZodType>(
  place: GithubPlace,
  answer: GithubAnswer,
  schema: Schema,
): Promise<VcsAnswer<z.output<Schema>>> {
  if (answer.kind === "unavailable") {
    const { detail, retryAfterSeconds } = answer;
    return { kind: "unavailable", detail, retryAfterSeconds };
  }
  const { status, body } = answer;
  if (status === 404 || status === 409 || status === 410 || status === 422) return missing(place);
  // Moved, blocked or not for this credential: all are a repository that the server cannot see under its name.
  if (status !== 200) return { kind: "repository_hidden" };
  const read = schema.safeParse(body);
  if (read.success) return { kind: "found", value: read.data };
  return { kind: "unavailable", detail: "GitHub answered in a form that was not understood", retryAfterSeconds: null };
}

async function missing(place: GithubPlace): Promise<VcsAnswer<never>> {
  const repository = await getFrom(place, "");
  if (repository.kind === "unavailable") {
    const { detail, retryAfterSeconds } = repository;
    return { kind: "unavailable", detail, retryAfterSeconds };
  }
  return repository.status === 200 ? { kind: "absent" } : { kind: "repository_hidden" };
}
