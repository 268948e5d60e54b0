/** What `/readyz` says of secrets that cannot be opened, and what the acts that need them answer (docs/spec/identity.md R-SEAL-4). */
import { afterAll, beforeAll, expect, it } from "vitest";
import { missingSealingKeys } from "../../src/adapters/postgres/sealed-rows.ts";
import { createSecretsWatch } from "../../src/main/secrets-watch.ts";
import type { SecretsWatch } from "../../src/http/server-options.ts";
import { addProvider } from "../support/evil-issuer-scene.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedIn, TestBrowser } from "../support/signed-in.ts";
import { totpCode } from "../support/software-authenticator.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

describeOnEveryPostgres("readiness and secrets", (database) => {
  let at: TestServer;
  let browser: TestBrowser;
  let watch: SecretsWatch;
  let seed = "";

  beforeAll(async () => {
    const secrets: SecretsWatch = { areReadable: () => watch.areReadable() };
    at = await openServer(database.url, { server: { secrets } });
    const keyring = { keys: new Map([["test", null]]) };
    const { clock, seals } = at.app;
    watch = createSecretsWatch({ missingKeys: () => missingSealingKeys(at.pool, keyring), seals, clock });
    browser = await signedIn(at);
    const offered = must(await browser.post("/me/factors/totp/options", {}, { fresh: true }), 201);
    seed = textAt(offered, "secret");
    must(await browser.post("/me/factors/totp", { ceremony: offered["ceremony"], code: code(), name: "Phone" }), 201);
    // Whoever can do this to the database writes what they like into it.
    await at.pool.query(
      "alter table factors disable trigger user; alter table identity_providers disable trigger user",
    );
  }, 60_000);

  afterAll(async () => {
    await at.close();
  });

  function code(): string {
    return totpCode(seed, at.app.clock());
  }

  async function ready(): Promise<unknown> {
    const { statusCode, body } = await at.server.inject("/readyz");
    return { statusCode, ...bodyOf({ body }) };
  }

  function is(secrets: "ok" | "unreadable"): unknown {
    return { statusCode: 200, status: "READY", quarantined: false, checks: { secrets } };
  }

  async function stepUp(): Promise<string> {
    at.advance(30_000);
    return outcomeOf(await browser.post("/session/step-up", { proof: { type: "totp", code: code() } }));
  }

  async function sealedAs(change: string): Promise<void> {
    await at.pool.query(`update factors set secret = ${change} where secret is not null`);
  }

  it("identity R-SEAL-4: a damaged secret refuses the act that needs it, and readiness shows it and nothing else", async () => {
    expect(await ready()).toEqual(is("ok"));
    await sealedAs("secret || 'AAAA'");
    expect(await stepUp()).toBe("503 secret_unreadable");
    expect(await ready()).toEqual(is("unreadable"));
    await sealedAs("left(secret, -4)");
    expect(await stepUp()).toBe("204");
    expect(await ready()).toEqual(is("ok"));
  });

  it("identity R-SEAL-4: a key that the keyring does not hold shows before anybody needs it", async () => {
    await sealedAs("replace(secret, 's1.test.', 's1.gone.')");
    at.advance(31_000);
    expect(await ready()).toEqual(is("unreadable"));
    expect(await stepUp()).toBe("503 secret_unreadable");
    await sealedAs("replace(secret, 's1.gone.', 's1.test.')");
    expect(await stepUp()).toBe("204");
    at.advance(31_000);
    expect(await ready()).toEqual(is("ok"));
  });

  it("identity R-SEAL-4: an identity provider's secret that does not open lets nobody sign in with an empty one", async () => {
    const client = { issuer: "https://issuer.example.com", clientId: "countersign", clientSecret: "a secret" };
    const provider = await addProvider(at, client);
    await at.pool.query("update identity_providers set client_secret = replace(client_secret, 's1.test.', 's1.gone.')");
    const stranger = new TestBrowser(at);
    expect(outcomeOf(await stranger.post(`/auth/oidc/${provider.id}/start`))).toBe("503 secret_unreadable");
    expect(await ready()).toEqual(is("unreadable"));
  });

  it("identity R-SEAL-4: what a stranger makes up about a sign-in under way is no sign of a lost key", async () => {
    const unreadable = [{ table: "login_states", column: "verifier", row: "1", orgId: null }];
    const watched = createSecretsWatch({
      missingKeys: () => Promise.resolve([]),
      seals: { unreadable: () => unreadable },
      clock: () => 0,
    });
    expect(await watched.areReadable()).toBe(true);
  });
});
