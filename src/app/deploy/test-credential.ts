/**
 * Does the credential that this server holds for a provider work? Implements docs/spec/deploy.md R-CI-6 and R-UI-8: CircleCI says
 * whose it is; GitHub is asked for the repositories of the apps, which is what the credential is for.
 */
import { refuse, type Refusal } from "../../core/refusal.ts";
import type { VcsAnswer } from "../../gates/deploy/vcs-facts.ts";
import type { VersionControl } from "../../ports/version-control.ts";
import type { Application } from "../application.ts";

export interface CredentialTest {
  readonly ok: boolean;
  readonly detail: string;
}

export type TestedProvider = "github" | "circleci";

const REPOSITORIES_MAX = 5;
const BUDGET_MS = 10_000;

export function testCredential(app: Application, provider: TestedProvider): Promise<CredentialTest | Refusal> {
  return provider === "circleci" ? testCi(app) : testRepositories(app);
}

async function testCi({ deploy }: Application): Promise<CredentialTest | Refusal> {
  const tested = await deploy.ci("circleci")?.testToken?.();
  if (tested === undefined) return notConfigured("CircleCI", "CIRCLECI_TOKEN");
  return tested.valid
    ? { ok: true, detail: `CircleCI knows the token as ${tested.login}` }
    : { ok: false, detail: tested.why };
}

async function testRepositories(app: Application): Promise<CredentialTest | Refusal> {
  const github = app.deploy.versionControl("github");
  if (github === null) return notConfigured("GitHub", "GITHUB_TOKEN");
  const repositories = await repositoriesOf(app);
  if (repositories.length === 0) {
    return { ok: false, detail: "No app names a repository yet: there is nothing to try the credential with" };
  }
  const tried = await Promise.all(repositories.map((repository) => triedRepository(github, repository)));
  return { ok: tried.every(({ ok }) => ok), detail: tried.map(({ detail }) => detail).join("; ") };
}

function notConfigured(provider: string, variable: string): Refusal {
  return refuse("not_found", `${provider} is not set up on this server: it reads ${variable}`);
}

/** Of the apps that any setting names, each once. */
async function repositoriesOf(app: Application): Promise<readonly string[]> {
  const { racks, settings } = app.deploy;
  const scopes = racks.all().map(({ info }) => info.name);
  const places = await settings.places(app, scopes);
  const found = await Promise.all(places.map((place) => settings.ofApp(app, place.scope, place.app)));
  const named = found.flatMap(({ app: { vcsProvider, vcsRepo } }) =>
    vcsProvider.value === "github" && vcsRepo.value !== null && vcsRepo.value !== "" ? [vcsRepo.value] : [],
  );
  return [...new Set(named)].slice(0, REPOSITORIES_MAX);
}

async function triedRepository(github: VersionControl, repository: string): Promise<CredentialTest> {
  const answer = await github.repository(repository, BUDGET_MS).resolve("HEAD");
  return { ok: answer.kind === "found" || answer.kind === "absent", detail: `${repository} ${words(answer)}` };
}

function words(answer: VcsAnswer<unknown>): string {
  switch (answer.kind) {
    case "found":
    case "absent":
      return "can be read";
    case "repository_hidden":
      return "is not there or not visible to the credential";
    case "unavailable":
      return `could not be read: ${answer.detail}`;
  }
}
