/** Where does a reviewer look at the CI run of a request? Implements docs/spec/deploy.md R-CI-3. */
import type { JsonObject } from "../../core/json.ts";
import { ciTarget, isTarget, metadataText } from "./ci-metadata.ts";
import { isCiProvider, type CiSettings } from "./ci-outcome.ts";
import { isVcsRepo } from "./vcs-links.ts";

/** Null when the metadata does not say enough; never an address that is not https. */
export function ciLink(metadata: JsonObject | null, settings: CiSettings): string | null {
  const { provider, vcsProvider, vcsRepo } = settings;
  if (provider === "circleci") {
    const number = metadataText(metadata, "pipeline_number");
    const host = { github: "gh", bitbucket: "bb", gitlab: null }[vcsProvider];
    if (host === null || number === null || !/^[0-9]{1,20}$/.test(number)) return null;
    if (vcsRepo === null || !isVcsRepo(vcsRepo)) return null;
    return `https://app.circleci.com/pipelines/${host}/${vcsRepo}/${number}`;
  }
  return buildUrl(metadata) ?? buildkiteLink(metadata, provider);
}

const URL_LENGTH_MAX = 2_048;

/** No user information, no spaces, nothing that a browser would read otherwise than a person does. */
function buildUrl(metadata: JsonObject | null): string | null {
  const url = metadataText(metadata, "build_url");
  if (url === null || url.length > URL_LENGTH_MAX) return null;
  return /^https:\/\/[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?][A-Za-z0-9._~:/?[\]!$&()*+,;=%-]*)?$/.test(url) ? url : null;
}

function buildkiteLink(metadata: JsonObject | null, provider: string): string | null {
  const target = isCiProvider(provider) ? ciTarget(provider, metadata) : [];
  if (!isTarget(target) || target.provider !== "buildkite") return null;
  return `https://buildkite.com/${target.organization}/${target.pipeline}/builds/${target.buildNumber}`;
}
