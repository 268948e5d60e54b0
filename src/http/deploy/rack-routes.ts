/** The rack itself, its certificate, and who made what is on it (docs/spec/deploy.md 11.3, R-RACK-3). */
import type { Application } from "../../app/application.ts";
import { auditEvents } from "../../app/deploy/audit-events.ts";
import { changeDeploySettings } from "../../app/deploy/change-deploy-settings.ts";
import { rackActor } from "../../app/deploy/deploy-caller.ts";
import { pinned, pinValue, RACK_PIN_KEY } from "../../app/deploy/rack-pins.ts";
import {
  createdByQuerySchema,
  createdBySchema,
  rackCertificateSchema,
  rackSystemSchema,
} from "../../contract/deploy-racks.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { isRefusal } from "../../core/refusal.ts";
import { rackUnreachable } from "../../gates/deploy/call-refusals.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import { recordsBy } from "../../ports/records.ts";
import { ok } from "../answers.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { problem } from "../problem.ts";
import { deployReply } from "./deploy-reply.ts";
import { rackOf } from "./rack-scope.ts";

const tag = "deploy";

export function deployRackRoutes(): readonly Endpoint[] {
  return [system(), certificate(), createdBy()];
}

function system(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/rack", summary: "What the rack says of itself", tag },
    answers: { 200: rackSystemSchema },
    async handle(exchange) {
      const rack = rackOf(exchange);
      if (isRefusal(rack)) return rack;
      try {
        const { status, json } = await rack.ask({ path: "/system", actor: rackActor(exchange.caller.actor) });
        if (status === 200 && isJsonObject(json)) return ok(json);
      } catch (error) {
        if (!(error instanceof RackFault)) throw error;
      }
      return deployReply(rackUnreachable(), exchange.requestId);
    },
  });
}

function certificate(): Endpoint {
  return endpoint({
    ...{ method: "POST", url: "/settings/rack-tls-cert/refresh", summary: "Pin the certificate shown now", tag },
    answers: { 200: rackCertificateSchema, 501: rackSystemSchema },
    async handle(exchange) {
      const rack = rackOf(exchange);
      if (isRefusal(rack)) return rack;
      const { name, tls } = rack.info;
      if (tls !== "pin") {
        return { status: 501, body: { error: "certificate pinning is off for this rack", code: "not_available" } };
      }
      const { app, actor } = exchange.caller;
      const records = await app.reader.records(recordsBy("deploySetting", "orgId", [app.orgId]));
      const before = pinned(records, name);
      try {
        const now = await rack.presentedCertificate();
        const place = { scope: name, appName: "" };
        const values = { [RACK_PIN_KEY]: pinValue(now, app.clock()) };
        if (before?.fingerprint !== now.fingerprint) await changeDeploySettings(app, actor, { place, values });
        return ok({ rack: name, old_fingerprint: before?.fingerprint ?? null, fingerprint: now.fingerprint });
      } catch (error) {
        if (!(error instanceof RackFault)) throw error;
        return deployReply(rackUnreachable(), exchange.requestId);
      }
    },
  });
}

const IDS_MAX = 200;
/** Who made what longer ago is not looked for. */
const LOOKED_BACK_MS = 30 * 86_400_000;
const LOOKED_AT_MAX = 20_000;

interface Made {
  readonly action: string;
  /** The member of an entry that names what was made. */
  readonly member: string;
}

const MADE: Readonly<Record<string, Made>> = {
  app: { action: "app.create", member: "app" },
  build: { action: "build.create", member: "build" },
  release: { action: "release.create", member: "release" },
};

function createdBy(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/created-by", summary: "Who made these apps, builds or releases", tag },
    query: createdByQuerySchema,
    answers: { 200: createdBySchema },
    async handle(exchange) {
      const rack = rackOf(exchange);
      if (isRefusal(rack)) return rack;
      const { type = "", ids = "" } = exchange.query;
      const made = MADE[type];
      if (made === undefined) return problem("invalid_input", type === "" ? "type required" : "invalid type");
      const wanted = new Set(ids.split(",").filter((id) => id !== ""));
      if (wanted.size > IDS_MAX) return problem("invalid_input", `at most ${String(IDS_MAX)} ids`);
      return ok(await makersOf(exchange.caller.app, made, wanted));
    },
  });
}

async function makersOf(app: Application, made: Made, ids: ReadonlySet<string>): Promise<Record<string, JsonObject>> {
  const wanted = new Set(ids);
  const found: Record<string, JsonObject> = {};
  let lookedAt = 0;
  const range = { since: app.clock() - LOOKED_BACK_MS, until: null, before: null };
  for await (const { action, details, by } of auditEvents(app, range)) {
    lookedAt += 1;
    if (wanted.size === 0 || lookedAt > LOOKED_AT_MAX) break;
    const id = details[made.member];
    if (action !== made.action || typeof id !== "string" || !wanted.delete(id)) continue;
    found[id] = { user_id: by.number, email: by.email, name: by.name };
  }
  return found;
}
