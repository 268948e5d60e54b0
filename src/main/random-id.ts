/** Fresh ids for everything that has one: random UUIDs, version 4. */
import { randomUUID } from "node:crypto";
import { isId, type NewId } from "../core/ids.ts";

export const randomId: NewId = <Name extends string>() => {
  const text: string = randomUUID();
  if (!isId<Name>(text)) throw new Error("Bug: the platform's UUID is no UUID");
  return text;
};
