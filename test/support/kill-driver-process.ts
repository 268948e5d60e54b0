/**
 * Runs approvals against a server that keeps dying: creates a request, looks into the inbox of each approver, approves, looks at
 * the end. Every call is repeated until it is answered; every answer is on the disk before the next call. Arguments: the
 * server's URL, the journal, how many flows at once. Ends on SIGTERM, or with status 1 and a line when an answer is wrong.
 */
import { fsyncSync, openSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Acknowledged } from "./kill-journal.ts";
import { unsignedToken } from "./running-server.ts";

const [url = "", journal = "", concurrency = "1"] = process.argv.slice(2);
const file = openSync(journal, "a");
const STAGES = [
  ["ann", "ben"],
  ["cleo", "dan"],
] as const;
const CALL_MAX_MS = 5_000;
const PAUSE_MS = 25;
let flows = 0;

process.on("SIGTERM", () => process.exit(0));
process.on("disconnect", () => process.exit(0));
await makePolicy();
await Promise.all(Array.from({ length: Number(concurrency) }, work));

async function work(): Promise<never> {
  for (;;) {
    flows += 1;
    await run(`flow-${String(flows)}`);
  }
}

async function run(flow: string): Promise<void> {
  const wanted = { policy_key: "kill", artifact_type: "payout", artifact_id: flow, context: { amount: 5 } };
  const request = textAt(await call("requester", "/v1/requests", { body: wanted, key: flow }), "request_id");
  keep({ kind: "created", flow, request });
  for (const person of STAGES.flat()) {
    const inbox = await call(person, `/v1/tasks?assignee=me&status=open&request_id=${request}`);
    const task = textAt(firstItem(inbox), "id");
    const decided = await call(person, `/v1/awe/tasks/${task}/decision`, {
      body: { action: "approve" },
      key: `${flow}-${person}`,
    });
    keep({ kind: "decided", flow, request, person, decision: textAt(decided, "id") });
  }
  const end = textAt(await call("requester", `/v1/requests/${request}`), "status");
  if (end !== "approved") fail(`${flow} ended as ${end}`);
  keep({ kind: "approved", flow, request });
}

async function makePolicy(): Promise<void> {
  const stages = STAGES.map((people, index) => ({
    name: `Stage ${String(index + 1)}`,
    stage_order: index + 1,
    mode: "all",
    rules: people.map((name) => ({ rule_type: "user", rule_value: { user_id: name } })),
  }));
  const policy = { policy_key: "kill", name: "Kill", artifact_type: "payout", stages };
  await call("root", "/v1/policies", { body: policy, key: "policy" });
  await call("root", "/v1/policies/kill/versions/1/activate", { body: {}, key: "activate" });
}

interface Write {
  readonly body: object;
  readonly key: string;
}

/** The answer's body. Whatever is not an answer of the application is asked again. */
async function call(name: string, path: string, write?: Write): Promise<unknown> {
  for (;;) {
    const answered = await attempt(name, path, write);
    if (answered !== null && answered.status < 300) return answered.body;
    if (answered !== null && answered.status !== 503) {
      fail(`${path} answered ${String(answered.status)} ${JSON.stringify(answered.body)}`);
    }
    await delay(PAUSE_MS);
  }
}

/** Null when the connection broke, before the answer or in the middle of it. */
async function attempt(
  name: string,
  path: string,
  write: Write | undefined,
): Promise<{ readonly status: number; readonly body: unknown } | null> {
  const roles = name === "root" ? ["AWE_ADMIN"] : [];
  const authorization = `Bearer ${unsignedToken(name, roles)}`;
  try {
    const response = await fetch(`${url}${path}`, {
      method: write === undefined ? "GET" : "POST",
      headers: {
        authorization,
        ...(write !== undefined && { "content-type": "application/json", "idempotency-key": write.key }),
      },
      ...(write !== undefined && { body: JSON.stringify(write.body) }),
      signal: AbortSignal.timeout(CALL_MAX_MS),
    });
    const body: unknown = await response.json();
    return { status: response.status, body };
  } catch {
    return null;
  }
}

function keep(line: Acknowledged): void {
  writeSync(file, `${JSON.stringify(line)}\n`);
  fsyncSync(file);
}

function firstItem(page: unknown): unknown {
  const items = typeof page === "object" && page !== null && "items" in page ? page.items : undefined;
  return Array.isArray(items) ? items[0] : undefined;
}

function textAt(value: unknown, member: string): string {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, member) : undefined;
  return typeof found === "string" ? found : fail(`no ${member} in ${JSON.stringify(value)}`);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
