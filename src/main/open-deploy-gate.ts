/** From environment and configuration to the deploy gate's outside; what nobody can have meant stops the start (deploy R-SETTINGS-1). */
import { manifestReader } from "../adapters/manifest/manifest-reader.ts";
import { openConvoxRacks } from "../adapters/convox/convox-racks.ts";
import { createGuardedFetch } from "../adapters/outbound/guarded-fetch.ts";
import { createImageRegistries } from "../adapters/registry/image-registries.ts";
import type { Application } from "../app/application.ts";
import { rackPins } from "../app/deploy/rack-pins.ts";
import { parseEnvironmentSettings, type EnvironmentSetting } from "../gates/deploy/environment-settings.ts";
import type { Racks } from "../ports/rack.ts";
import type { Logger } from "pino";
import { buildDeploy, type BuiltDeploy } from "./build-deploy.ts";
import type { Environment } from "./config.ts";
import type { Config } from "./config-schema.ts";
import { rackSettings } from "./rack-settings.ts";
import { registrySettings } from "./registry-settings.ts";
import { StartRefused } from "./start-refused.ts";

const REGISTRY_TIMEOUT_MS = 10_000;
/** Registries take no larger image manifests. */
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;

export interface DeployGateOptions {
  readonly config: Config;
  /** Answers once the server is put together; no rack is connected before. */
  readonly application: () => Application;
  readonly log: Logger;
  readonly environment: Environment;
  readonly development: boolean;
  /** Of this installation; secrets of CI webhooks are derived from it. */
  readonly serverKey: Uint8Array;
}

export function openDeployGate(options: DeployGateOptions): BuiltDeploy {
  const { config, environment, development, serverKey, log } = options;
  const { outbound } = config.awe;
  const racks = openConvoxRacks(rackSettings(config, environment), {
    pins: rackPins(options.application),
    certificateChanged: (rack) => {
      log.error({ rack }, "the rack presents another certificate than the one it is pinned to");
    },
  });
  const guard = { allow: outbound.allow, allowHttp: outbound.allow_http, development };
  const built = buildDeploy({
    ...{ environment, racks, clock: () => Date.now(), webhookKey: serverKey },
    settings: environmentSettings(environment, racks),
    guardedFetch: createGuardedFetch(guard),
    registries: createImageRegistries({
      registries: registrySettings(config, environment),
      fetch: createGuardedFetch({ ...guard, timeoutMs: REGISTRY_TIMEOUT_MS, bytesMax: MANIFEST_BYTES_MAX }),
    }),
  });
  return {
    parts: built.parts,
    close: async () => {
      await Promise.all([racks.close(), built.close()]);
    },
  };
}

function environmentSettings(environment: Environment, racks: Racks): readonly EnvironmentSetting[] {
  const { settings, faults } = parseEnvironmentSettings({
    variables: environment,
    scopes: racks.all().map(({ info }) => info.name),
    patterns: (pattern) => (manifestReader.expression(pattern) === null ? "it is no RE2 expression" : null),
  });
  if (faults.length > 0) throw new StartRefused("setting_invalid", faults.join("\n"));
  return settings;
}
