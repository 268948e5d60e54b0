/**
 * Which certificate a pinned rack is known by: kept as the setting `rack_tls_cert` of the rack, with its entry (docs/spec/deploy.md
 * R-RACK-3). On first use the one that is presented is kept; from then on only an administrator's refresh replaces it.
 */
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import type { DeploySettingRecord } from "../../ports/deploy-records.ts";
import type { PinStore, RackCertificate } from "../../ports/rack.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { describe, hidden } from "../entry-writer.ts";
import { ledgerId } from "../ledger-names.ts";
import { NO_CHANGE } from "../no-change.ts";

export const RACK_PIN_KEY = "rack_tls_cert";

/** `application` answers once the server is put together; no rack is connected before. */
export function rackPins(application: () => Application): PinStore {
  return {
    async read(rack) {
      const app = application();
      const found = await app.reader.records(recordsBy("deploySetting", "orgId", [app.orgId]));
      return pinned(found, rack);
    },
    write: (rack, certificate) => pinFirst(application(), rack, certificate),
  };
}

/** Two connections may be first at once: the pin that is there already wins. */
async function pinFirst(app: Application, rack: string, certificate: RackCertificate): Promise<RackCertificate> {
  return await app.store.submit<RackCertificate>({
    name: "pin_rack_certificate",
    needs: { records: [recordsBy("deploySetting", "orgId", [app.orgId])] },
    alone: true,
    carryOut(world) {
      const known = pinned(world.records("deploySetting", "orgId", app.orgId), rack);
      if (known !== null) return { answer: known, changes: NO_CHANGE };
      const value = pinValue(certificate, world.now);
      const entry = describe(
        {
          ...{ org: ledgerId("org", app.orgId), kind: "setting.changed", actor: "sys_server", credential: null },
          ...{ resource: null, request: null },
          data: { key: RACK_PIN_KEY, scope: "deploy-rack", old: hidden(null), new: hidden(value) },
        },
        app,
      );
      const record: DeploySettingRecord = {
        ...{ orgId: app.orgId, scope: rack, app: "", key: RACK_PIN_KEY, value },
        ...{ updatedBy: "sys_server", updatedAt: world.now },
      };
      return { answer: certificate, changes: { entries: [entry], records: { deploySetting: [record] } } };
    },
  });
}

/** As it is stored: fingerprint, certificate, and since when. */
export function pinValue({ fingerprint, pem }: RackCertificate, now: number): JsonValue {
  return { fingerprint, pem, pinned_at: new Date(now).toISOString() };
}

export function pinned(records: readonly DeploySettingRecord[], rack: string): RackCertificate | null {
  const record = records.find(({ scope, app, key }) => scope === rack && app === "" && key === RACK_PIN_KEY);
  const value = record?.value ?? null;
  if (!isJsonObject(value)) return null;
  const { fingerprint, pem } = value;
  return typeof fingerprint === "string" && typeof pem === "string" ? { fingerprint, pem } : null;
}
