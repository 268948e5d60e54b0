/**
 * Nobody waits for the database longer than promised: a connection is lent until a deadline, then it is cut, and whatever
 * still waits for it fails at once (ledger R-APP-5). Times are those of `performance.now()`, which no clock step moves.
 */
import type { Client } from "pg";
import { Unavailable } from "../../ports/unavailable.ts";
import { isUnavailable } from "./database-fault.ts";
import type { Writer } from "./connect.ts";

const ROLLBACK_MAX_MS = 200;
const END_MAX_MS = 100;

/**
 * Throws what `use` throws. By then the transaction is rolled back; where the database was unavailable the connection is gone,
 * because the next one may reach another server, or the same one with other settings.
 */
export async function useUntil<Answer>(
  writer: Writer,
  deadline: number,
  use: (client: Client) => Promise<Answer>,
): Promise<Answer> {
  const client = await connected(writer, deadline);
  const cutting = setTimeout(() => client.connection.stream.destroy(), deadline - performance.now());
  try {
    return await use(client);
  } catch (error) {
    await (isUnavailable(error) ? ended(client) : rollBack(client));
    throw error;
  } finally {
    clearTimeout(cutting);
  }
}

async function connected(writer: Writer, deadline: number): Promise<Client> {
  const connecting = writer.client();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = new Unavailable("ledger_unavailable", "The database does not answer; nothing was changed");
    timer = setTimeout(() => {
      reject(error);
    }, deadline - performance.now());
  });
  try {
    return await Promise.race([connecting, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A connection that cannot roll back in time is cut: Postgres then rolls back by itself. */
async function rollBack(client: Client): Promise<void> {
  const cutting = setTimeout(() => client.connection.stream.destroy(), ROLLBACK_MAX_MS);
  try {
    await client.query("rollback");
  } catch {
    await ended(client);
  } finally {
    clearTimeout(cutting);
  }
}

/** The writer learns from the client's end that it must connect again; before that nobody may ask it for a client. */
async function ended(client: Client): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, END_MAX_MS);
    client.once("end", () => {
      clearTimeout(timer);
      resolve();
    });
    client.connection.stream.destroy();
  });
}
