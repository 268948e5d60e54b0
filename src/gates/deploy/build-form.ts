/**
 * What does a client want built, and is that what an approval allows? Read once, checked, and written anew for the rack.
 * Implements docs/spec/deploy.md R-BIND-7.
 */
import {
  buildArgument,
  buildForm,
  buildOption,
  buildWithoutObject,
  gitShaRequired,
  manifestPath,
} from "./call-refusals.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";
import { encodeForm, type FormPair } from "./url-encoded-form.ts";
import { readForm, type FormRules } from "./rack-form.ts";

export interface BuildForm {
  readonly url: string | null;
  readonly gitSha: string | null;
  readonly description: string | null;
  readonly manifest: string | null;
  readonly noCache: boolean | null;
  /** Each `NAME` or `NAME=value`. */
  readonly buildArgs: readonly string[];
  readonly development: boolean | null;
  readonly external: boolean | null;
  readonly wildcardDomain: boolean | null;
}

const manifestDefault = "convox.yml";

export function readBuildForm(contentType: string | null, body: string): BuildForm | DeployRefusal {
  const form = readForm(contentType, body, RULES);
  if ("fault" in form) return buildForm(form.fault);
  const args = form.text("build-args");
  return {
    url: form.text("url"),
    gitSha: form.text("git-sha"),
    description: form.text("description"),
    manifest: form.text("manifest"),
    noCache: form.flag("no-cache"),
    buildArgs: args === null || args === "" ? [] : args.split(","),
    development: form.flag("development"),
    external: form.flag("external"),
    wildcardDomain: form.flag("wildcard-domain"),
  };
}

export function isBuildForm(value: BuildForm | DeployRefusal): value is BuildForm {
  return "buildArgs" in value;
}

/** What the rack gets: the values that were checked, and no others. */
export function encodeBuildForm(form: BuildForm): string {
  const { url, gitSha, description, manifest, buildArgs } = form;
  return encodeForm([
    ...textPair("url", url),
    ...textPair("git-sha", gitSha),
    ...textPair("description", description),
    ...textPair("manifest", manifest),
    ...flagPair("no-cache", form.noCache),
    ...textPair("build-args", buildArgs.length === 0 ? null : buildArgs.join(",")),
    ...flagPair("development", form.development),
    ...flagPair("external", form.external),
    ...flagPair("wildcard-domain", form.wildcardDomain),
  ]);
}

/** What an app's settings allow in a build under approval. */
export interface BuildRules {
  readonly approvedManifests: readonly string[];
  /** Compared as they stand: `NAME` allows no value of the client's choice. */
  readonly approvedBuildArgs: readonly string[];
}

/** A form that may be sent under the approval of the commit that it names. */
export interface ApprovedBuildForm extends BuildForm {
  readonly url: string;
  readonly gitSha: string;
  readonly manifest: string;
}

/** Whether `gitSha` and `url` are those of the approval is judged where the approval is known (gated-call.ts). */
export function checkBuildForm(form: BuildForm, rules: BuildRules): ApprovedBuildForm | DeployRefusal {
  const { url, gitSha, manifest } = form;
  if (gitSha === null || gitSha === "") return gitShaRequired();
  if (url === null || url === "") return buildWithoutObject();
  const path = manifest ?? manifestDefault;
  if (!rules.approvedManifests.includes(path)) return manifestPath(path, rules.approvedManifests);
  if (form.development === true) return buildOption("development");
  if (form.external === true) return buildOption("external");
  const argument = form.buildArgs.find((one) => !rules.approvedBuildArgs.includes(one));
  if (argument !== undefined) return buildArgument(argument.replace(/=.*$/s, ""));
  return { ...form, url, gitSha, manifest: path };
}

export function isApprovedBuildForm(value: ApprovedBuildForm | DeployRefusal): value is ApprovedBuildForm {
  return "buildArgs" in value;
}

const DESCRIPTION_MAX = 1_000;

const RULES: FormRules = {
  url: (value) => (CONTROLS.test(value) ? "'url' holds a control character" : null),
  "git-sha": (value) => (CONTROLS.test(value) ? "'git-sha' holds a control character" : null),
  description: (value) => {
    if (Array.from(value).length > DESCRIPTION_MAX) return `'description' is longer than ${DESCRIPTION_MAX} characters`;
    return CONTROLS.test(value.replaceAll(/[\n\t]/g, "")) ? "'description' holds a control character" : null;
  },
  manifest: (value) => (isRelativePath(value) ? null : "'manifest' is not a relative path"),
  "no-cache": "flag",
  "build-args": (value) => (CONTROLS.test(value) ? "'build-args' holds a control character" : null),
  development: "flag",
  external: "flag",
  "wildcard-domain": "flag",
};

const CONTROLS = /\p{Cc}/u;

/** Below the archive's root, in the one spelling that archives are listed in. */
function isRelativePath(path: string): boolean {
  if (CONTROLS.test(path) || path.includes("\\")) return false;
  return path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

function textPair(name: string, value: string | null): readonly FormPair[] {
  return value === null ? [] : [[name, value]];
}

function flagPair(name: string, value: boolean | null): readonly FormPair[] {
  return value === null ? [] : [[name, String(value)]];
}
