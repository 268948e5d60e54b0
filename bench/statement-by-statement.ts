/**
 * What group commit is compared with: the same use cases, the same SQL, but a transaction per command and every statement
 * awaited before the next is sent. It may have several connections; the ledger's head makes their transactions take turns, as
 * it does for every writer.
 */
import { Client } from "pg";
import { runBatch, type BatchTools } from "../src/adapters/postgres/batch.ts";
import { clientConfig, endClient } from "../src/adapters/postgres/connect.ts";
import type { PostgresCommandStore } from "../src/adapters/postgres/command-store.ts";
import type { StoreCommand } from "../src/ports/command-store.ts";

export interface StatementByStatementOptions extends BatchTools {
  readonly connectionString: string;
  readonly connections: number;
}

export async function openStatementByStatement(options: StatementByStatementOptions): Promise<PostgresCommandStore> {
  const { connectionString, connections, ...tools } = options;
  const all = await Promise.all(Array.from({ length: connections }, () => open(connectionString)));
  const idle = [...all];
  const waiting: ((client: Client) => void)[] = [];

  function take(): Client | Promise<Client> {
    return (
      idle.pop() ??
      new Promise((resolve) => {
        waiting.push(resolve);
      })
    );
  }
  function giveBack(client: Client): void {
    const next = waiting.shift();
    if (next === undefined) idle.push(client);
    else next(client);
  }

  const store: PostgresCommandStore = {
    // One organization is all that is measured.
    forOrganization: () => store,
    async submit<Answer>(command: StoreCommand<Answer>): Promise<Answer> {
      const client = await take();
      try {
        const answers: Answer[] = [];
        const kept: StoreCommand<unknown> = {
          ...command,
          carryOut(world, facts) {
            const carried = command.carryOut(world, facts);
            answers.push(carried.answer);
            return carried;
          },
        };
        const { verdicts } = await runBatch(client, [kept], tools);
        const [verdict] = verdicts;
        const [answer] = answers;
        if (verdict?.kind !== "answer" || answer === undefined) throw new Error(`${command.name} got no answer`);
        return answer;
      } finally {
        giveBack(client);
      }
    },
    async close() {
      await Promise.all(all.map((client) => endClient(client)));
    },
  };
  return store;
}

/** Without pipelining the driver sends a statement only after the answer to the one before it. */
async function open(connectionString: string): Promise<Client> {
  // The driver's own queue is what makes the statements wait for one another; that it will go is known.
  process.noDeprecation = true;
  const config = clientConfig(connectionString, { applicationName: "bench-one-by-one" });
  const client = new Client({ ...config, pipeline: false });
  await client.connect();
  return client;
}
