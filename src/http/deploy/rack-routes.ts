/** The rack itself, its certificate, and who made what is on it (docs/spec/deploy.md 11.3, R-RACK-3). */
import { changeDeploySettings } from "../../app/deploy/change-deploy-settings.ts";
import { rackActor } from "../../app/deploy/deploy-caller.ts";
import { makersOf } from "../../app/deploy/makers.ts";
import { pinned, pinValue, RACK_PIN_KEY } from "../../app/deploy/rack-pins.ts";
import {
  createdByQuerySchema,
  createdBySchema,
  rackCertificateSchema,
  rackSystemSchema,
} from "../../contract/deploy-racks.ts";
import { isJsonObject } from "../../core/json.ts";
import { isRefusal } from "../../core/refusal.ts";
import { rackUnreachable } from "../../gates/deploy/call-refusals.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import type { MadeKind } from "../../ports/ledger-line-reader.ts";
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
const KINDS: ReadonlyMap<string, MadeKind> = new Map(
  (["app", "build", "release"] as const).map((kind) => [kind, kind]),
);

function createdBy(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/created-by", summary: "Who made these apps, builds or releases", tag },
    query: createdByQuerySchema,
    answers: { 200: createdBySchema },
    async handle(exchange) {
      const rack = rackOf(exchange);
      if (isRefusal(rack)) return rack;
      const { type = "", ids = "" } = exchange.query;
      const kind = KINDS.get(type);
      if (kind === undefined) return problem("invalid_input", type === "" ? "type required" : "invalid type");
      const wanted = new Set(ids.split(",").filter((id) => id !== ""));
      if (wanted.size > IDS_MAX) return problem("invalid_input", `at most ${String(IDS_MAX)} ids`);
      const made = await makersOf(exchange.caller.app, { kind, names: [...wanted], scope: rack.info.name });
      return ok(
        Object.fromEntries(
          [...made].map(([name, by]) => [name, { user_id: by.number, email: by.email, name: by.name }]),
        ),
      );
    },
  });
}
