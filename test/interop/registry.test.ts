/** What a tag leads to, asked of a registry over its real wire (docs/spec/deploy.md R-IMAGE-8). */
import { afterEach, describe, expect, it } from "vitest";
import { createGuardedFetch } from "../../src/adapters/outbound/guarded-fetch.ts";
import { createImageRegistries } from "../../src/adapters/registry/image-registries.ts";
import { imageReference } from "../../src/gates/deploy/image-reference.ts";
import type { DigestAnswer, ImageRegistries } from "../../src/ports/image-registries.ts";
import { RegistrySimulator, type RegistrySimulatorOptions } from "../support/registry-simulator/registry-simulator.ts";

const NAME = "registry.example.com";
const open: RegistrySimulator[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((registry) => registry.close()));
});

async function simulated(options: RegistrySimulatorOptions = {}): Promise<RegistrySimulator> {
  const registry = await RegistrySimulator.open(options);
  open.push(registry);
  return registry;
}

function asking(
  { url, username, password }: RegistrySimulator,
  more: { readonly tokenHost?: string; readonly isAnonymous?: true; readonly timeoutMs?: number } = {},
): ImageRegistries {
  const { tokenHost = new URL(url).host, isAnonymous, timeoutMs } = more;
  const credential = isAnonymous === true ? null : { username, password };
  return createImageRegistries({
    registries: [{ name: NAME, url, tokenHost, credential }],
    fetch: createGuardedFetch({ allow: [], allowHttp: false, development: true }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

async function digests(registries: ImageRegistries, ...images: readonly string[]): Promise<readonly DigestAnswer[]> {
  const references = images.map(imageReference).filter((reference) => reference !== null);
  expect(references).toHaveLength(images.length);
  return registries.digests(references);
}

describe("image registries", () => {
  it.each(["bearer", "basic", "none"] as const)(
    "deploy R-IMAGE-8: the digest of a tag, whatever credentials the registry wants: %s",
    async (challenge) => {
      const registry = await simulated({ challenge });
      const [app, latest] = [registry.push("team/app", "v1", "one"), registry.push("team/db", "latest", "two")];
      const asked = await digests(asking(registry), `${NAME}/team/app:v1`, `${NAME}/team/db`, `${NAME}/team/app:v2`);
      expect(asked).toEqual([{ digest: app }, { digest: latest }, { why: `${NAME} has no such image` }]);
      expect(registry.server.log.filter((call) => /^(?:POST|PUT|GET \/v2)/.test(call))).toEqual([]);
    },
  );

  it("deploy R-IMAGE-8: where no header tells the digest, it is the SHA-256 of the manifest", async () => {
    const registry = await simulated();
    registry.tellsDigests = false;
    const digest = registry.push("team/app", "v1", "one");
    expect(await digests(asking(registry), `${NAME}/team/app:v1`)).toEqual([{ digest }]);
    expect(registry.server.log.at(-1)).toBe("GET /v2/team/app/manifests/v1");
  });

  it("deploy R-IMAGE-8: a digest that is written is not asked about, and a registry nobody configured is asked nothing", async () => {
    const registry = await simulated();
    const written = `sha256:${"a".repeat(64)}`;
    const answers = await digests(
      asking(registry),
      `${NAME}/team/app@${written}`,
      "evil.example.com/team/app:v1",
      "nginx",
    );
    expect(answers).toEqual([
      { digest: written },
      { why: "the registry evil.example.com is not in the server's configuration" },
      { why: "the registry docker.io is not in the server's configuration" },
    ]);
    expect(registry.server.calls).toEqual([]);
  });

  it("deploy R-IMAGE-8: the password goes to the configured hosts alone", async () => {
    const thief = await simulated();
    const registry = await simulated({ realm: `${thief.url}/token` });
    registry.push("team/app", "v1", "one");
    const why = `${NAME} sends its callers to another host for tokens than the configured one`;
    expect(await digests(asking(registry), `${NAME}/team/app:v1`)).toEqual([{ why }]);
    expect(thief.server.calls).toEqual([]);
    expect(registry.server.calls.every(({ headers }) => headers["authorization"] === undefined)).toBe(true);
  });

  it("deploy R-IMAGE-8: whoever does not let this server in, breaks off or is silent leads to no digest", async () => {
    const registry = await simulated();
    registry.push("team/app", "v1", "one");
    const image = `${NAME}/team/app:v1`;
    const why = `${NAME} gave no token: its token service answered 401`;
    expect(await digests(asking(registry, { isAnonymous: true }), image)).toEqual([{ why }]);
    registry.server.fail({ path: /manifests/, times: 1, fault: { kind: "reset" } });
    expect(await digests(asking(registry), image)).toEqual([{ why: `${NAME} cannot be reached` }]);
    registry.server.fail({ path: /manifests/, times: 1, fault: { kind: "answer", answer: { status: 500 } } });
    expect(await digests(asking(registry), image)).toEqual([{ why: `${NAME} answered 500` }]);
    registry.server.fail({
      path: /token/,
      times: 1,
      fault: { kind: "answer", answer: { status: 200, body: "no json" } },
    });
    expect(await digests(asking(registry), image)).toEqual([{ why: `${NAME} gave no token that can be read` }]);
    registry.server.fail({ path: /manifests/, times: 1, fault: { kind: "silence" } });
    expect(await digests(asking(registry, { timeoutMs: 50 }), image)).toEqual([
      { why: `${NAME} did not answer in time` },
    ]);
  });
});
