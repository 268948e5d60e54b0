/**
 * An archive on its way to a rack: read beside the stream, its last bytes held back until everything about it is known to be in order
 * (docs/spec/deploy.md R-BIND-4 to R-BIND-6, R-MANIFEST-3, R-SOURCE-3).
 */
import { createHash } from "node:crypto";
import { admitGatedCall, permitted, type AdmittedCall } from "../../app/deploy/admit-call.ts";
import { recordCall } from "../../app/deploy/call-records.ts";
import { sourceTreeOf, verifySource, type SourceTree } from "../../app/deploy/check-source.ts";
import {
  recordUpload,
  reserveKey,
  takeArchive,
  type TakenArchive,
  type UploadedArchive,
} from "../../app/deploy/record-upload.ts";
import { ARCHIVE_LIMITS } from "../../gates/deploy/archive-limits.ts";
import {
  contentRefused,
  denials,
  noActiveApproval,
  objectKeyInUse,
  permissionDenied,
} from "../../gates/deploy/call-refusals.ts";
import { archiveRefusal } from "../../gates/deploy/content-refusal.ts";
import type { DeployApproval } from "../../gates/deploy/deploy-records.ts";
import { isDeployRefusal, type DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import { uploadHeadersRefusal, uploadKey } from "../../gates/deploy/gated-call.ts";
import type { HeaderPair } from "../../gates/deploy/rack-headers.ts";
import type { ArchiveListing, ArchiveReading, GitObjectFormat } from "../../ports/archive-reader.ts";
import type { DeployApprovalRecord, DeployWarning } from "../../ports/deploy-records.ts";
import type { RackAnswer } from "../../ports/rack.ts";
import { recordsBy } from "../../ports/records.ts";
import type { AccessWatch } from "./access-watch.ts";
import type { ProxyCall } from "./proxy-call.ts";
import { elapsed, recordFailure } from "./proxy-direct.ts";
import { answerText, forward, sendAnswer } from "./proxy-forward.ts";
import { askOf } from "./proxy-gated.ts";
import { ProxyRefused } from "./proxy-refusal.ts";
import { jsonOf, textMember } from "./rack-answers.ts";

/** Held back until all is known. */
const HELD_BYTES = 65_536;

/** An approval whose archive this may be, and what it is compared with. */
interface Candidate {
  readonly approval: DeployApproval;
  readonly record: DeployApprovalRecord;
  readonly tree: SourceTree | null;
}

interface Upload {
  readonly call: ProxyCall;
  readonly key: string;
  /** Null where the caller needs no approval. */
  readonly candidates: readonly Candidate[] | null;
  readonly reading: ArchiveReading;
  taken: TakenArchive | null;
  archive: UploadedArchive | null;
}

export async function uploadArchive(call: ProxyCall, watch: AccessWatch): Promise<void> {
  const form = uploadHeadersRefusal({ headers: call.headers });
  if (form !== null) throw new ProxyRefused(form);
  const key = uploadKey(call.match.params["name"] ?? "");
  const admitted = call.gated === null ? null : await admitUpload(call);
  const about = admitted?.about ?? call.about;
  const candidates = admitted === null ? null : await candidatesOf(call, admitted);
  if (admitted === null) {
    await checkKey(call, key);
    await recordCall(call.app, ["call_intended"], about);
  }
  const reading = call.app.deploy.archives.open({
    captures: { paths: call.settings.app.approvedManifests.value, topLevelYaml: candidates === null },
    blobIds: formatsOf(candidates ?? []),
    limits: ARCHIVE_LIMITS,
  });
  const upload: Upload = { call: { ...call, about }, key, candidates, reading, taken: null, archive: null };
  try {
    await watch.during(
      call,
      (candidates ?? []).map(({ record }) => record.requestId),
      (lost) => send(upload, lost),
    );
  } catch (error) {
    reading.abort();
    await recordFailure(upload.call, {}, error);
    throw error;
  }
}

async function admitUpload(call: ProxyCall): Promise<AdmittedCall> {
  const key = uploadKey(call.match.params["name"] ?? "");
  const admitted = await admitGatedCall(call.app, { ...askOf(call, ""), objectKeys: [key] });
  if (isDeployRefusal(admitted)) throw new ProxyRefused(admitted);
  return admitted;
}

/** For callers with a permission of their own too: nobody overwrites what somebody else builds (R-BIND-5). */
async function checkKey({ app, rack, appName }: ProxyCall, key: string): Promise<void> {
  const objects = await app.reader.records(recordsBy("deployObject", "key", [key]));
  const isUsed = objects.some((one) => one.orgId === app.orgId && one.scope === rack.info.name && one.app === appName);
  if (isUsed) throw new ProxyRefused(objectKeyInUse());
}

async function candidatesOf(call: ProxyCall, { permit }: AdmittedCall): Promise<readonly Candidate[]> {
  const { app, settings } = call;
  const approvals = permitted(permit);
  const records = await app.reader.records(
    recordsBy(
      "deployApproval",
      "id",
      approvals.map(({ id }) => id),
    ),
  );
  const candidates: Candidate[] = [];
  let missing: DeployRefusal | null = null;
  for (const approval of approvals) {
    const record = records.find(({ id }) => id === approval.id);
    if (record === undefined) continue;
    const approvedAt = approval.standing.grant?.issuedAt ?? 0;
    const tree = await sourceTreeOf(app, settings.app, { record, approvedAt });
    if (tree !== null && "code" in tree) missing = tree;
    else candidates.push({ approval, record, tree });
  }
  if (candidates.length === 0) throw new ProxyRefused(missing ?? noActiveApproval("", ""));
  return candidates;
}

function formatsOf(candidates: readonly Candidate[]): readonly GitObjectFormat[] {
  return [...new Set(candidates.flatMap(({ tree }) => (tree === null ? [] : [tree.record.objectFormat])))];
}

async function send(upload: Upload, lost: AbortSignal): Promise<void> {
  const { call } = upload;
  const { exchange } = call;
  // Without a byte nothing can be held back: the rack would have the whole at once.
  const length = exchange.contentLength === 0 ? null : exchange.contentLength;
  if (length !== null && length > ARCHIVE_LIMITS.archiveBytes) {
    const fault = { code: "archive_limit", path: "tar.gz", why: "archive" } as const;
    throw new ProxyRefused(contentRefused(archiveRefusal(fault)));
  }
  const stream = heldBack(upload, exchange.hasBody ? exchange.body() : []);
  const answer = await forward(call, { body: { stream, length }, cut: cutOff(upload, lost) });
  await settle(upload, answer);
}

/** Aborted when access is lost before the archive was accepted; what was accepted goes on to its end (R-STATE-9). */
function cutOff(upload: Upload, lost: AbortSignal): AbortSignal {
  const cut = new AbortController();
  const end = (): void => {
    if (upload.archive === null) cut.abort(new ProxyRefused(accessLost(upload.call)));
  };
  if (lost.aborted) end();
  else lost.addEventListener("abort", end, { once: true });
  return cut.signal;
}

function accessLost({ gated, match }: ProxyCall): DeployRefusal {
  const why = "Access was revoked while the archive was being uploaded.";
  if (gated !== null) return noActiveApproval(why, "");
  return { ...permissionDenied(denials.any, match.route.permission), hint: [why] };
}

/** Passes on what is not among the last bytes; those follow when the archive was accepted, or never. */
async function* heldBack(
  upload: Upload,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    checkFault(upload.reading);
    await upload.reading.write(chunk);
    held.push(chunk);
    bytes += chunk.byteLength;
    for (let first = held[0]; first !== undefined && held.length > 1; first = held[0]) {
      if (bytes - first.byteLength < HELD_BYTES) break;
      held.shift();
      bytes -= first.byteLength;
      yield first;
    }
  }
  await accept(upload);
  yield* held;
}

function checkFault({ fault }: ArchiveReading): void {
  if (fault !== null) throw new ProxyRefused(contentRefused(archiveRefusal(fault)));
}

async function accept(upload: Upload): Promise<void> {
  const { call, key, candidates, reading } = upload;
  const { app, rack, appName, exchange } = call;
  const listing = await reading.finish();
  if ("code" in listing) throw new ProxyRefused(contentRefused(archiveRefusal(listing)));
  const { objectBytes, objectSha256, sourceDigest, manifests } = listing;
  const archive = {
    scope: rack.info.name,
    app: appName,
    key,
    bytes: objectBytes,
    objectSha256,
    sourceDigest,
    manifests,
  };
  const verified = candidates === null ? null : await fittingCandidates(call, candidates, listing);
  if (!(await reserveKey(app, archive))) throw new ProxyRefused(objectKeyInUse());
  if (verified !== null) {
    const taken = await takeArchive(app, {
      ...{ archive, about: call.about, admittedAt: exchange.acceptedAt, warnings: verified.warnings },
      approvals: verified.candidates.map(({ record }) => ({ id: record.id, requestId: record.requestId })),
      paths: listing.paths,
    });
    if (isDeployRefusal(taken)) throw new ProxyRefused(taken);
    upload.taken = taken;
  }
  upload.archive = archive;
}

/** Those whose commit it is; the first difference answers when it is nobody's. */
async function fittingCandidates(
  { app, settings }: ProxyCall,
  candidates: readonly Candidate[],
  listing: ArchiveListing,
): Promise<{ readonly candidates: readonly Candidate[]; readonly warnings: readonly DeployWarning[] }> {
  const verdicts = await Promise.all(
    candidates.map(async (candidate) => {
      const { tree, record } = candidate;
      const passed = { refusal: null, warnings: [] };
      const verdict =
        tree === null ? passed : await verifySource(app, settings.app, { record, tree }, { listing, blobId });
      return { candidate, ...verdict };
    }),
  );
  const fitting = verdicts.filter(({ refusal }) => refusal === null);
  const [first] = verdicts;
  if (fitting.length === 0) throw new ProxyRefused(first?.refusal ?? noActiveApproval("", ""));
  return {
    candidates: fitting.map(({ candidate }) => candidate),
    warnings: fitting.flatMap(({ warnings }) => warnings),
  };
}

function blobId(format: GitObjectFormat, text: string): string {
  const bytes = Buffer.from(text, "utf8");
  return createHash(format)
    .update(`blob ${String(bytes.byteLength)}\0`)
    .update(bytes)
    .digest("hex");
}

/** What the rack said of it; an answer before the end is passed on, and nothing was accepted. */
async function settle(upload: Upload, answer: RackAnswer): Promise<void> {
  const { call, archive } = upload;
  const body = await answerText(answer);
  if (archive !== null) {
    const headers = await store(upload, archive, { status: answer.status, body });
    return sendAnswer(call.exchange, answer, { body, headers });
  }
  upload.reading.abort();
  await recordCall(call.app, ["call_ended"], call.about, { status: answer.status, durationMs: elapsed(call) });
  await sendAnswer(call.exchange, answer, { body });
}

/** The headers that name the approval. */
async function store(
  { call, taken, key }: Upload,
  archive: UploadedArchive,
  { status, body }: { readonly status: number; readonly body: Buffer },
): Promise<readonly HeaderPair[]> {
  const { app, appName, target } = call;
  const isStored = status >= 200 && status < 300 && textMember(jsonOf(body), "Url") === `object://${appName}/${key}`;
  const refusal = await recordUpload(app, {
    ...{ archive, status, durationMs: elapsed(call), approvalIds: taken?.approvalIds ?? [] },
    about: { ...call.about, approval: taken?.approval ?? call.about.approval },
    url: isStored ? `object://${appName}/${key}` : null,
    by: target,
  });
  if (refusal !== null) throw new ProxyRefused(refusal);
  const [approvalId] = taken?.approvalIds ?? [];
  return approvalId === undefined ? [] : [["Countersign-Deploy-Approval", approvalId]];
}
