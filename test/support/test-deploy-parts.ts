/** The deploy gate's outside for tests that bring no rack, no version control and no CI of their own. */
import { ArchiveThreads } from "../../src/adapters/archive/archive-threads.ts";
import { manifestReader } from "../../src/adapters/manifest/manifest-reader.ts";
import type { DeployParts } from "../../src/app/deploy/deploy-parts.ts";
import { createDeploySettingsDesk } from "../../src/app/deploy/settings-desk.ts";
import { environmentMarker } from "../../src/main/build-deploy.ts";

export function testDeployParts(clock: () => number): DeployParts {
  return {
    racks: { all: () => [], find: () => undefined },
    settings: createDeploySettingsDesk({
      environment: [],
      patterns: (pattern) => (manifestReader.expression(pattern) === null ? "it is no RE2 expression" : null),
      clock,
    }),
    versionControl: () => null,
    ci: () => null,
    chat: null,
    githubWebhook: null,
    archives: new ArchiveThreads(),
    manifests: manifestReader,
    registries: { digests: (references) => Promise.resolve(references.map(() => ({ why: "no registry here" }))) },
    environmentMarker: environmentMarker(new Uint8Array(32)),
    githubUrl: "https://github.com",
  };
}
