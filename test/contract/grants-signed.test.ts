/** What was signed is compared with what is done, each time it is done (identity R-SIGN-6). */
import { afterAll, beforeAll, expect, it } from "vitest";
import { outcomeOf, type BrowserAnswer } from "../support/signed-in.ts";
import { openSigningServer, SigningScene, type Asked } from "../support/signing-scene.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { asAdmin, type TestServer } from "../support/test-server.ts";

/** A statement is good for two minutes. */
const LATER = 10 * 60_000;

describeOnEveryPostgres("grants of signed approvals", (database) => {
  let at: TestServer;
  let scene: SigningScene;
  beforeAll(async () => {
    at = await openSigningServer(database.url);
    scene = await SigningScene.open(at, "ben");
    await scene.policy("signed", [{ people: ["ben"], assurance: "signed" }]);
  });
  afterAll(() => at.close());

  async function signed(): Promise<Asked> {
    const asked = await scene.ask("signed");
    const answer = await scene.sign(scene.who("ben"), scene.taskOf(asked, "ben"));
    expect(outcomeOf(answer)).toBe("201");
    return asked;
  }

  function use({ requestId, digest }: Asked): Promise<BrowserAnswer> {
    const url = `/v1/requests/${requestId}/grant/use`;
    return at.server.inject({ method: "POST", url, headers: { ...asAdmin }, payload: { digest } });
  }

  it("identity R-SIGN-6: what was signed permits what it was signed for, also when the statement's own time is over", async () => {
    const asked = await signed();
    expect(outcomeOf(await use(asked))).toBe("200");
    at.advance(LATER);
    expect(outcomeOf(await use(asked))).toBe("200");
  });

  it("identity R-SIGN-6: nothing is permitted that the signed statement is not about, whatever stands around it", async () => {
    const asked = await signed();
    const client = await at.pool.connect();
    try {
      await client.query("set session_replication_role = replica");
      await client.query(
        `update ledger_entries set text = replace(text, '"payload":"' || $2, '"payload":"sha256:' || repeat('ab', 32))
         where request = $1 and kind = 'decision.recorded'`,
        [`req_${asked.requestId.replaceAll("-", "")}`, asked.digest],
      );
      await client.query("set session_replication_role = origin");
    } finally {
      client.release();
    }
    expect(outcomeOf(await use(asked))).toBe("409 grant_not_supported");
  });
});
