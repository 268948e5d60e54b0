/** What the organization decides for itself (docs/spec/identity.md section 7). */
import { z } from "zod";
import { changeSetting, settings, type Setting } from "../../app/settings.ts";
import { isRefusal } from "../../core/refusal.ts";
import { changeSettingSchema, settingSchema, type SettingOut } from "../../contract/settings.ts";
import { wireTimeOrNull } from "../../contract/wire-time.ts";
import { ok } from "../answers.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";

const tag = "organization";

export function settingRoutes(): readonly Endpoint[] {
  return [
    endpoint({
      method: "GET",
      url: "/settings",
      summary: "What applies here, and who says so",
      tag,
      answers: { 200: z.array(settingSchema) },
      async handle({ caller }) {
        return ok((await settings(caller.app)).map(settingOut));
      },
    }),
    endpoint({
      method: "PUT",
      url: "/settings",
      summary: "Decide something for this organization; null goes back to what the installation says",
      tag,
      body: changeSettingSchema,
      answers: { 200: settingSchema },
      async handle({ caller, body }) {
        const changed = await changeSetting(caller.app, caller.actor, body);
        return isRefusal(changed) ? changed : ok(settingOut(changed));
      },
    }),
  ];
}

function settingOut({ key, value, changed, said }: Setting): SettingOut {
  return {
    ...{ key, value, source: changed === null ? said.by : "organization" },
    variable: changed === null && said.by === "environment" ? said.variable : null,
    ...{ updated_by: changed?.by ?? null, updated_at: wireTimeOrNull(changed?.at ?? null) },
  };
}
