/** The deploy approval that an effect is about, as it is now, and how its app is set up (docs/spec/effects.md). */
import type { DeployStatus } from "../../../gates/deploy/deploy-status.ts";
import { deployStatus } from "../../../gates/deploy/deploy-status.ts";
import type { DeployApprovalView, DeployViewer } from "../../../ports/deploy-reader.ts";
import type { EffectOutcome, EffectRecord } from "../../../ports/effects.ts";
import type { Application } from "../../application.ts";
import { requestPage } from "../../request-page.ts";
import { approvalStanding } from "../approval-standing.ts";
import type { DeployAppSettings } from "../settings-desk.ts";
import { withdrawn } from "./effect-outcome.ts";

export interface DeploySubject {
  /** Of the approval's organization. */
  readonly app: Application;
  readonly view: DeployApprovalView;
  readonly status: DeployStatus;
  readonly settings: DeployAppSettings;
  /** The request's page: opening it changes nothing. */
  readonly link: string;
}

/** The worker sees what it is told to act on. */
const EVERYTHING: DeployViewer = { readsAll: true, personId: null, tokenId: null };

export async function deploySubject(
  installation: Application,
  { orgId, requestId }: Pick<EffectRecord, "orgId" | "requestId">,
): Promise<DeploySubject | EffectOutcome> {
  const app = installation.forOrganization(orgId);
  const view = requestId === null ? undefined : await app.reader.deployApproval(requestId, EVERYTHING);
  if (view === undefined) return withdrawn("approval_unknown", "The deploy approval is not there");
  const { record } = view;
  return {
    ...{ app, view, status: statusOf(app, view) },
    settings: await app.deploy.settings.ofApp(app, record.scope, record.app),
    link: requestPage(app.identity.publicUrl, { gate: "deploy", id: record.id }),
  };
}

export function isSubject(found: DeploySubject | EffectOutcome): found is DeploySubject {
  return "view" in found;
}

/** As it is at this moment: an approval's end counts from its instant on (deploy R-EXPIRY-3). */
export async function statusNow(subject: DeploySubject): Promise<DeployStatus | null> {
  const { app, view } = subject;
  const now = await app.reader.deployApproval(view.record.id, EVERYTHING);
  return now === undefined ? null : statusOf(app, now);
}

function statusOf({ clock }: Application, { request, record }: DeployApprovalView): DeployStatus {
  return deployStatus(approvalStanding(request, record), clock());
}

/** What happened, as the effect says; the handler looks for itself what has become of it. */
export function eventOf({ payload }: EffectRecord): string {
  const event = Object.hasOwn(payload, "event") ? payload["event"] : null;
  return typeof event === "string" ? event : "";
}
