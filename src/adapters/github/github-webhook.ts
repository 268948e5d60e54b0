/**
 * Is this webhook GitHub's, and which run does it say waits? The signature is checked over the bytes as they came, before anything is
 * read from them. Implements docs/spec/deploy.md R-CI-9; that a delivery counts once is for whoever stores its id.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { isSameRepo, isVcsRepo } from "../../gates/deploy/vcs-links.ts";
import type { GithubDelivery, GithubWebhook } from "../../ports/github-webhook.ts";

export interface GithubWebhookSettings {
  readonly secret: string;
  /** `GITHUB_API_URL`: a callback to anywhere else is not GitHub's. */
  readonly apiUrl: string;
}

const BODY_MAX = 1024 * 1024;

const payload = z.object({
  action: z.string(),
  environment: z.string().min(1).max(255),
  deployment_callback_url: z.string().max(2_048),
  deployment: z.object({
    sha: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/),
    ref: z.string().nullish(),
    creator: z.object({ login: z.string() }).nullish(),
  }),
  repository: z.object({ full_name: z.string().refine(isVcsRepo) }),
});

export function readGithubWebhook(
  { signature, event, delivery, body }: GithubDelivery,
  { secret, apiUrl }: GithubWebhookSettings,
): GithubWebhook {
  if (body.length > BODY_MAX) return refused(413, "the body is larger than 1 MiB");
  if (!isSigned(body, signature, secret)) return refused(401, "the signature does not fit");
  if (delivery === undefined || !/^[A-Za-z0-9-]{1,64}$/.test(delivery))
    return refused(400, "X-GitHub-Delivery is missing");
  if (event !== "deployment_protection_rule") return { kind: "ignored" };
  const read = payload.safeParse(parsed(body));
  if (!read.success) return refused(400, "the payload is not that of a deployment protection rule");
  return read.data.action === "requested" ? requestOf(read.data, delivery, apiUrl) : { kind: "ignored" };
}

function requestOf(
  { environment, deployment, deployment_callback_url: callback, repository }: z.infer<typeof payload>,
  delivery: string,
  apiUrl: string,
): GithubWebhook {
  const repo = repository.full_name;
  const runId = /\/actions\/runs\/([0-9]{1,20})\/deployment_protection_rule$/.exec(callback)?.[1];
  const expected = `${apiUrl.replace(/\/+$/, "")}/repos/${repo}/actions/runs/${String(runId)}/deployment_protection_rule`;
  if (runId === undefined || !isSameRepo(callback, expected)) {
    return refused(400, "the callback does not lead to the repository at the configured GitHub");
  }
  const { sha } = deployment;
  return {
    kind: "requested",
    request: {
      ...{ delivery, repo, environment, commit: sha },
      branch: branchOf(deployment.ref ?? null, sha),
      creator: deployment.creator?.login ?? null,
      metadata: { run_id: runId, environment, deployment_callback_url: callback, deployment_sha: sha },
    },
  };
}

/** A deployment names a branch, a tag, or the commit once more. */
function branchOf(ref: string | null, sha: string): string | null {
  if (ref === null || ref === "" || ref === sha || ref.startsWith("refs/tags/")) return null;
  return ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : ref;
}

function isSigned(body: Uint8Array, signature: string | undefined, secret: string): boolean {
  const given = /^sha256=([0-9a-f]{64})$/.exec(signature ?? "")?.[1];
  if (given === undefined || secret === "") return false;
  return timingSafeEqual(Buffer.from(given, "hex"), createHmac("sha256", secret).update(body).digest());
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
}

function refused(status: 400 | 401 | 413, why: string): GithubWebhook {
  return { kind: "refused", status, why };
}
