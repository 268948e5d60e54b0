/** Machines on the wire. Implements docs/spec/identity.md section 7 (R-ID-8, R-ID-9). */
import { z } from "zod";
import { text } from "./policy-fields.ts";
import { cursorText, queryFlag, queryNumber, queryText } from "./query-text.ts";
import { wireTimeSchema } from "./wire-time.ts";

const ownersMax = 20;

/** UUID text is the same in either letter case (RFC 9562). */
export const idInput = z.uuid().transform((id) => id.toLowerCase());

const kind = z.enum(["ci", "service", "agent", "device", "connector", "acme"]);
const name = text(1, 100).refine((value) => value.trim() === value, { error: "must not begin or end with blanks" });
const owners = z
  .array(idInput)
  .max(ownersMax)
  .transform((ids) => [...new Set(ids)]);

/** Unknown members are refused, so that nobody believes to have set what is not theirs to set. */
export const createMachineSchema = z.strictObject({
  kind,
  name,
  owners: owners.default([]),
  contact_id: idInput.nullable().default(null),
  acts_for_id: idInput.nullable().default(null),
});

export const changeMachineSchema = z.strictObject({
  name: name.exactOptional(),
  owners: owners.exactOptional(),
  contact_id: idInput.nullable().exactOptional(),
  acts_for_id: idInput.nullable().exactOptional(),
});

export const machinesQuerySchema = z.object({
  q: queryText(200).exactOptional(),
  retired: queryFlag.exactOptional(),
  limit: queryNumber(1, 500).default(100),
  cursor: cursorText.exactOptional(),
});

const personSchema = z.object({
  id: z.uuid(),
  assignee: z.string(),
  name: z.string().nullable(),
  active: z.boolean(),
});

export const machineOutSchema = z.object({
  id: z.uuid(),
  kind,
  name: z.string(),
  owners: z.array(z.uuid()),
  contact_id: z.uuid().nullable(),
  acts_for_id: z.uuid().nullable(),
  /** Those named above, as people know them. */
  people: z.array(personSchema),
  /** Without an active owner its credentials are refused; true for a service account. */
  owner_active: z.boolean(),
  live_tokens: z.int(),
  created_at: wireTimeSchema,
  created_by: z.string(),
  disabled_at: wireTimeSchema.nullable(),
});
export type MachineOut = z.output<typeof machineOutSchema>;
