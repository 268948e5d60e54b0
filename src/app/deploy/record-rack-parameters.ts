/**
 * Somebody changed what a rack is set to: the difference is an entry, and administrators are told by mail. Secrets are masked in both
 * (docs/spec/deploy.md R-RACK-5).
 */
import { parameterLine, type ParameterDifference } from "../../gates/deploy/rack-parameters.ts";
import type { World } from "../../ports/command-store.ts";
import type { EffectRecord } from "../../ports/effects.ts";
import type { Application } from "../application.ts";
import { mailEffects } from "../effects/mail-effect.ts";
import { callEntry, type CallAbout, type CallFigures } from "./call-entry.ts";

export interface ChangedParameters {
  readonly about: CallAbout;
  /** Of the rack's answer. */
  readonly figures: CallFigures;
  readonly differences: readonly ParameterDifference[];
}

/** The call's end and the change, in one transaction. */
export async function recordRackParameters(app: Application, changed: ChangedParameters): Promise<void> {
  const { about, figures, differences } = changed;
  const told = differences.map(({ name, old, new: fresh }) => ({ name, old, new: fresh }));
  const set = { ...figures, keysChanged: differences.length, more: { differences: told } };
  await app.store.submit({
    name: "record_rack_parameters",
    needs: {},
    carryOut: (world) => ({
      answer: null,
      changes: {
        entries: [callEntry(app, "call_ended", about, figures), callEntry(app, "rack_params_set", about, set)],
        records: { effect: mailsTo(app, world, changed) },
      },
    }),
  });
}

/** To those who look after this installation; none while no mail is sent. */
function mailsTo(
  { orgId, settings: { notifier } }: Application,
  world: World,
  { about: { scope, actor }, differences }: ChangedParameters,
): readonly EffectRecord[] {
  if (notifier === undefined) return [];
  const by = actor.person?.id ?? actor.displayName;
  const data = { rack: scope, by, parameters: differences.map(parameterLine).join("; ") };
  const about = { orgId, message: "rack_params_set", eventId: world.newId<"event">(), data } as const;
  const plans = notifier.adminAddresses.map((address) => ({ ...about, to: { address } }));
  return mailEffects(plans, { newId: world.newId, at: world.now });
}
