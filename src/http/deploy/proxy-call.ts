/** A call to a rack that may be made, and all that is needed to make it (docs/spec/deploy.md R-PROXY-3 after step 8). */
import type { Application } from "../../app/application.ts";
import type { CallAbout } from "../../app/deploy/call-entry.ts";
import type { DeployAppSettings } from "../../app/deploy/settings-desk.ts";
import type { GatedCaller } from "../../gates/deploy/gated-facts.ts";
import type { RackHeaders } from "../../gates/deploy/rack-headers.ts";
import type { GatedAction, RackMatch } from "../../gates/deploy/rack-routes.ts";
import type { Rack, RackActor } from "../../ports/rack.ts";
import type { Caller } from "../authorized.ts";
import type { ProxyExchange } from "./proxy-exchange.ts";

export interface ProxyCall {
  readonly exchange: ProxyExchange;
  readonly caller: Caller;
  /** Of the caller's organization. */
  readonly app: Application;
  readonly rack: Rack;
  readonly actor: RackActor;
  readonly match: RackMatch;
  /** Empty where the call is about no app. */
  readonly appName: string;
  readonly headers: RackHeaders;
  /** Encoded anew. */
  readonly query: string;
  readonly settings: DeployAppSettings;
  /** What an approval has to allow; null where the caller's own permission does. */
  readonly gated: GatedAction | null;
  /** Whom an approval has to be for; null for a workload that came without a token of ours. */
  readonly target: GatedCaller | null;
  readonly about: CallAbout;
}

/** Neither changes anything nor is about to. */
export function isRead({ match, exchange }: ProxyCall): boolean {
  return match.route.method === "GET" && !(exchange.isSocket && match.route.gated === "process_exec");
}
