/**
 * A server whose ledger does not verify: every way to change something is refused and changes nothing, every way to look works
 * (ledger R-QUAR-1). How each kind of tampering is found is tested in verify-database.test.ts and ledger-guard.test.ts.
 */
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { addressesOf, authorizationTable } from "../../src/http/authorization.ts";
import type { RunningServer } from "../../src/main/start-server.ts";
import { racePolicy } from "../support/race-world.ts";
import { call, startTestServer, temporaryDirectory, unsignedToken } from "../support/running-server.ts";
import { tampers, tamperWith } from "../support/tampering.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

const ROOT = { name: "root", roles: ["AWE_ADMIN"] } as const;
const WANTED = { policy_key: "line", artifact_type: "payout", artifact_id: "p-1" } as const;
const POLICY = racePolicy("line", [{ people: ["root"] }]);
const ABSENCE = { delegate_to: "ben", starts_at: "2099-01-01T00:00:00Z", ends_at: "2099-01-02T00:00:00Z" };

/** A body with which each call would change something, were the ledger sound. */
const BODIES: Readonly<Record<string, object | null>> = {
  "POST /policies": { ...POLICY, policy_key: "other" },
  "PUT /policies/:key": POLICY,
  "PATCH /policies/:key/versions/:version": POLICY,
  "DELETE /policies/:key/versions/:version": null,
  "POST /policies/:key/versions/:version/activate": {},
  "POST /policies/:key/versions/:version/deactivate": {},
  "POST /requests": WANTED,
  "POST /requests/:id/cancel": {},
  "POST /requests/:id/resolve": {},
  "POST /tasks/:id/claim": {},
  "POST /tasks/:id/release": {},
  "POST /tasks/:id/decision": { action: "approve", digest: `sha256:${"0".repeat(64)}` },
  "POST /tasks/:id/reassign": { new_assignee: "ben" },
  "POST /delegations": ABSENCE,
  "DELETE /delegations/:id": null,
  "PUT /directory/roles/:name": { members: ["ben"] },
  "DELETE /directory/roles/:name": null,
  "PUT /directory/groups": { members: ["ben"] },
  "DELETE /directory/groups": null,
  "POST /dev/session": { assignee: "ana" },
  "POST /requests/:id/grant/use": { digest: `sha256:${"0".repeat(64)}` },
  "POST /requests/:id/grant/revoke": { comment: "no longer" },
  "POST /admin/secrets": { name: "desk", caller_service: "desk" },
};

/** Calls that are no writing although they are no GET, or whose proof is asked for before anything is written. */
const OTHER: ReadonlySet<string> = new Set([
  "POST /policies/:key/versions/:version/simulate",
  "POST /me/challenges",
  "POST /tasks/decisions",
  // Judges pasted claims, and writes nothing.
  "POST /workload-providers/:id/test",
  // Asked for something that exists, or for a rack, before anything is written.
  "POST /admin/deliveries/:id/retry",
  "POST /admin/deliveries/redeliver",
  "POST /admin/secrets/:id/revoke",
  "POST /admin/secrets/:id/rotate",
  "POST /admin/secrets/:id/test",
  "POST /deploy-approval-requests",
  "POST /deploy-approval-requests/:id/cancel",
  "POST /deploy-approval-requests/:id/reject",
]);

/** What a token may call: sessions write through the same store, and nobody gets one in quarantine. */
const writes = authorizationTable.filter(
  ({ method, url, credentials }) => method !== "GET" && (credentials.includes("person_jwt") || url === "/dev/session"),
);

it("ledger R-QUAR-1: every route that is no GET is tried in quarantine, or stands in a reviewed list", () => {
  const known = [...Object.keys(BODIES), ...OTHER].sort();
  expect(writes.map(({ method, url }) => `${method} ${url}`).sort()).toEqual(known);
});

describeOnEveryPostgres("a server in quarantine", (database) => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: RunningServer;
  let ids: Ids;
  let before = "";

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const place = { databaseUrl: database.url, dataDir: join(directory.path, "data") };
    const sound = await startTestServer(place);
    ids = await fill(sound.url);
    await sound.close();
    const [tamper] = tampers;
    if (tamper === undefined) throw new Error("Nobody tampers");
    await tamperWith(database.url, tamper.tampering);
    server = await startTestServer(place);
    before = await standing();
  });
  afterAll(async () => {
    await server.close();
    await directory.remove();
  });

  it.each(writes.filter(({ method, url }) => !OTHER.has(`${method} ${url}`)))(
    "ledger R-QUAR-1: $method $url is refused as quarantined, and nothing changes",
    async (row) => {
      const body = BODIES[`${row.method} ${row.url}`] ?? null;
      for (const address of addressesOf(row)) {
        const response = await fetch(`${server.url}${addressWith(address, ids)}`, {
          method: row.method,
          headers: {
            authorization: `Bearer ${unsignedToken(ROOT.name, ROOT.roles)}`,
            ...(body !== null && { "content-type": "application/json" }),
          },
          ...(body !== null && { body: JSON.stringify(body) }),
        });
        const answer: unknown = await response.json();
        expect(answer).toMatchObject({ code: "quarantined" });
        expect(response.status).toBe(503);
      }
      expect(await standing()).toBe(before);
    },
  );

  it.each(["requests", "tasks", "policies", "delegations", "admin/audit", "inbox", "me", "ledger/export", "health"])(
    "ledger R-QUAR-1: GET /v1/%s works",
    async (path) => {
      const response = await fetch(`${server.url}/v1/${path}`, {
        headers: { authorization: `Bearer ${unsignedToken(ROOT.name, ROOT.roles)}` },
      });
      await response.text();
      expect(response.status).toBe(200);
    },
  );

  it("ledger R-QUAR-1: somebody who was never here may look, and leaves no trace", async () => {
    expect((await call(`${server.url}/v1/requests`, { name: "stranger" })).status).toBe(200);
    expect(await standing()).toBe(before);
  });

  /** How many rows each table has, and where the ledger stands. */
  async function standing(): Promise<string> {
    const client = new Client(database.url);
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1",
    );
    const counts: string[] = [];
    for (const { name } of rows) counts.push(`${name} ${String((await client.query(`select from ${name}`)).rowCount)}`);
    const head = await client.query("select size, chain from ledger_head");
    await client.end();
    return JSON.stringify([counts, head.rows]);
  }
});

interface Ids {
  readonly request: string;
  readonly task: string;
  readonly delegation: string;
}

async function fill(url: string): Promise<Ids> {
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await call(`${url}/v1${path}`, ROOT, body);
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  };
  await post("/policies", POLICY);
  await post("/policies/line/versions/1/activate", {});
  const request = await post("/requests", WANTED);
  const delegation = await post("/delegations", ABSENCE);
  const page = (await call(`${url}/v1/tasks?request_id=${textAt(request, "request_id")}`, ROOT)).body;
  const tasks: unknown = typeof page === "object" && page !== null && "items" in page ? page.items : [];
  const task: unknown = Array.isArray(tasks) ? tasks[0] : undefined;
  return {
    request: textAt(request, "request_id"),
    task: textAt(task, "id"),
    delegation: textAt(delegation, "id"),
  };
}

function addressWith(address: string, { request, task, delegation }: Ids): string {
  const id = address.includes("/tasks/") ? task : address.includes("/delegations/") ? delegation : request;
  const path = address.replace(":id", id).replace(":key", "line").replace(":version", "1").replace(":name", "officer");
  return path.endsWith("/directory/groups") ? `${path}?path=%2Fteam` : path;
}

function textAt(value: unknown, member: string): string {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, member) : undefined;
  if (typeof found !== "string") throw new Error(`No ${member} in ${JSON.stringify(value)}`);
  return found;
}
