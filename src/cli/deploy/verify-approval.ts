/**
 * `deploy-approval verify`: fetches the evidence of a request, and checks it here, believing nothing but the trust file
 * (docs/spec/deploy.md R-CLI-12, docs/spec/evidence.md R-OFF-1). 0 sound, 1 wrong, 2 could not check; 20 where it cannot be had.
 */
import { writeFileSync } from "node:fs";
import { memberOf, textIn } from "../../client/api-client.ts";
import { Unreachable } from "../../client/api-refusal.ts";
import { deployHeaders } from "../../client/deploy-client.ts";
import { refusalOf } from "../../client/deploy-refusal.ts";
import { BUNDLE_BYTES_MAX, isErased, type Bundle } from "../../evidence/bundle.ts";
import type { BundleFailure } from "../../evidence/verify-bundle.ts";
import { CannotCheck, verifyBundleText, type VerifyFileFlags } from "../run-verify-bundle.ts";
import { expandedCommit, headCommit } from "./chosen-commit.ts";
import { CliFault } from "./cli-outcome.ts";
import { notice, wantsJson } from "./cli-output.ts";
import { findApproval, type FindFlags } from "./find-approval.ts";
import { serverUrl, type Gateway } from "./open-gateway.ts";

export interface VerifyFlags extends FindFlags {
  readonly trust?: string;
  readonly keys?: string;
  readonly expectDigest?: string;
  readonly at?: string;
  readonly save?: string;
}

/** The exit status. */
export async function verifyCommand(id: string | undefined, flags: VerifyFlags): Promise<number> {
  const { gateway, approval } = await findApproval(id, flags, "approved");
  const text = await fetchBundle(gateway, approval.id);
  if (flags.save !== undefined) save(text, flags.save, flags);
  const expected = { id: approval.id, app: flags.app ?? null, commit: await expectedCommit(id, flags) };
  return verifyBundleText(text, fileFlags(flags), (bundle) => notAbout(bundle, expected));
}

async function fetchBundle(gateway: Gateway, id: string): Promise<string> {
  const client = await gateway.client();
  const headers = deployHeaders(client, {});
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  let text: string;
  try {
    const address = `${serverUrl(gateway.url)}/v1/requests/${id}/bundle`;
    response = await fetch(address, { headers, redirect: "error", signal });
    if (Number(response.headers.get("content-length") ?? 0) > BUNDLE_BYTES_MAX) throw new CliFault(TOO_LARGE);
    text = await response.text();
  } catch (cause) {
    if (cause instanceof CliFault) throw cause;
    throw new Unreachable(`${gateway.url} does not hand out the evidence: is the address right?`, { cause });
  }
  const { status, statusText } = response;
  if (!response.ok) throw refusalOf({ status, statusText, text, header: (name) => response.headers.get(name) });
  return text;
}

const TIMEOUT_MS = 60_000;
const TOO_LARGE = "the evidence is larger than 5 MiB";

function save(text: string, file: string, flags: VerifyFlags): void {
  try {
    writeFileSync(file, text);
  } catch {
    throw new CliFault(`${file} cannot be written`);
  }
  notice(flags, `The evidence is kept in ${file}: countersign verify ${file} checks it again`);
}

function fileFlags(flags: VerifyFlags): VerifyFileFlags {
  const { trust, keys, expectDigest, at } = flags;
  return {
    ...(trust === undefined ? {} : { trust }),
    ...(keys === undefined ? {} : { keys }),
    ...(expectDigest === undefined ? {} : { expectDigest }),
    ...(at === undefined ? {} : { at }),
    ...(wantsJson(flags) ? { json: true as const } : {}),
  };
}

interface Expected {
  readonly id: string;
  readonly app: string | null;
  readonly commit: string | null;
}

/** What this terminal knows of its own: the server's word for it would prove nothing. */
async function expectedCommit(id: string | undefined, { commit, branch }: VerifyFlags): Promise<string | null> {
  if (commit !== undefined) return expandedCommit(commit);
  return id === undefined && branch === undefined ? headCommit() : null;
}

/** The evidence is sound: is it that of this request? Null where it is. */
function notAbout({ request, payload }: Bundle, { id, app, commit }: Expected): BundleFailure | null {
  if (request.id !== `req_${id.replaceAll("-", "")}`) return notFor("the approval is another request's");
  if (app === null && commit === null) return null;
  if (isErased(payload))
    throw new CannotCheck("The payload was erased: nobody can tell any more for which app and commit it was.");
  if (request.gate !== "deploy") return notFor("the approval is not for a deploy");
  const context = memberOf(payload, "context");
  if (app !== null && textIn(context, "app") !== app) return notFor("the approval is for another app");
  if (commit !== null && textIn(context, "git_commit_hash") !== commit)
    return notFor("the approval is for another commit");
  return null;
}

function notFor(detail: string): BundleFailure {
  return { ok: false, step: 7, code: "not_for_this", detail, seq: null, person: null, check: null };
}
