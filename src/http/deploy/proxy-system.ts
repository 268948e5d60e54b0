/** `PUT /system`: what the rack is set to is read before and after, and the difference is told (docs/spec/deploy.md R-RACK-5). */
import { recordCall } from "../../app/deploy/call-records.ts";
import { recordRackParameters } from "../../app/deploy/record-rack-parameters.ts";
import { rackUnreachable } from "../../gates/deploy/call-refusals.ts";
import { parameterDifferences, readRackParameters, type RackParameters } from "../../gates/deploy/rack-parameters.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import type { RackAnswer } from "../../ports/rack.ts";
import type { ProxyCall } from "./proxy-call.ts";
import { elapsed, recordFailure } from "./proxy-direct.ts";
import { secrecyOf } from "./proxy-environment.ts";
import { forward, sendAnswer } from "./proxy-forward.ts";
import { ProxyRefused } from "./proxy-refusal.ts";

export function isSystemUpdate({ match: { route } }: ProxyCall): boolean {
  return route.method === "PUT" && route.template === "/system";
}

export async function updateSystem(call: ProxyCall): Promise<void> {
  const { app, about, exchange } = call;
  const before = await parametersOf(call);
  // What nobody could say afterwards is not changed.
  if (before === null) throw new ProxyRefused(rackUnreachable());
  await recordCall(app, ["call_intended"], about);
  let answer: RackAnswer;
  try {
    answer = await forward(call, { outlivesClient: true });
  } catch (error) {
    await recordFailure(call, {}, error);
    throw error;
  }
  await recordUpdate(call, answer.status, before);
  await sendAnswer(exchange, answer);
}

async function recordUpdate(call: ProxyCall, status: number, before: RackParameters): Promise<void> {
  const { app, about } = call;
  if (status < 200 || status > 299)
    return recordCall(app, ["call_ended"], about, { status, durationMs: elapsed(call) });
  const after = await parametersOf(call);
  const figures = { status, durationMs: elapsed(call) };
  if (after === null) {
    const more = { code: "parameters_unknown" };
    return recordCall(app, ["call_ended", "rack_changed"], about, { ...figures, more });
  }
  const differences = parameterDifferences(before, after, secrecyOf(call));
  if (differences.length === 0) return recordCall(app, ["call_ended", "rack_changed"], about, figures);
  await recordRackParameters(app, { about, figures, differences });
}

/** Null where the rack does not tell. */
async function parametersOf({ rack, actor }: ProxyCall): Promise<RackParameters | null> {
  try {
    const { status, json } = await rack.ask({ path: "/system", actor });
    return status === 200 ? readRackParameters(json) : null;
  } catch (error) {
    if (error instanceof RackFault) return null;
    throw error;
  }
}
