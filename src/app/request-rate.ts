/**
 * How many requests one machine may make, in a minute and at a time, whichever API it asks through; counted in the database, for all
 * processes together (docs/spec/identity.md section 10).
 */
import type { Actor } from "../core/person.ts";
import type { Application } from "./application.ts";

type Maker = Pick<Actor, "issuer" | "subject" | "machine" | "person">;

/** Until some of the open ones have ended: nobody knows when. */
const WAIT_SECONDS = 60;

/** Seconds to wait, or null while one more may be made. What is open is counted as the gate counts it, up to what is allowed. */
export async function tooManyRequests(
  app: Application,
  maker: Maker,
  openUpTo: (most: number) => Promise<number>,
): Promise<number | null> {
  const { perMinute, open: most } = app.settings.machineRequests;
  // Side by side: both are round trips to the database.
  const [wait, isFull] = await Promise.all([
    perMinute === 0 ? null : app.rates.count("request_creation", keyOf(app, maker), limitsOf(perMinute), app.clock()),
    maker.machine && most !== 0 ? openUpTo(most).then((count) => count >= most) : false,
  ]);
  return wait ?? (isFull ? WAIT_SECONDS : null);
}

const limitsOf = (perMinute: number): readonly { limit: number; windowSeconds: number }[] => [
  { limit: perMinute, windowSeconds: 60 },
];

/** All tokens of a machine are one; a person is one at every identity provider. */
function keyOf({ orgId }: Application, { issuer, subject, machine, person }: Maker): string {
  return JSON.stringify([orgId, issuer, machine ? subject : (person?.id ?? "")]);
}
