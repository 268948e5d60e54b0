/** The JSON that a browser's `PublicKeyCredential.toJSON()` gives, read member by member; null for anything else. */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { z } from "zod";
import type { JsonValue } from "../../core/json.ts";

/** Far above what authenticators send; keeps a call from costing more than it should. */
const TEXT_MAX = 16_384;
/** A credential id has at most 1,023 bytes. */
const ID_MAX = 1_364;
const TRANSPORTS = ["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"] as const;

const bytes = z
  .string()
  .max(TEXT_MAX)
  .regex(/^[A-Za-z0-9_-]+$/);
const id = bytes.max(ID_MAX);
const credential = { id, rawId: id, type: z.literal("public-key") };

const transports = z
  .array(z.string().max(32))
  .max(16)
  .catch([])
  .transform((given) => TRANSPORTS.filter((known) => given.includes(known)));

const registration = z.object({
  ...credential,
  response: z.object({ clientDataJSON: bytes, attestationObject: bytes, transports }),
});

const assertion = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: bytes,
    authenticatorData: bytes,
    signature: bytes,
    userHandle: bytes.nullish().transform((handle) => handle ?? undefined),
  }),
});

interface RegistrationAnswer extends RegistrationResponseJSON {
  readonly response: RegistrationResponseJSON["response"] & { transports: (typeof TRANSPORTS)[number][] };
}

export type AssertionAnswer = AuthenticationResponseJSON;

export function readRegistration(response: JsonValue): RegistrationAnswer | null {
  const { data } = registration.safeParse(response);
  return data === undefined ? null : { ...data, clientExtensionResults: {} };
}

export function readAssertion(response: JsonValue): AssertionAnswer | null {
  const { data } = assertion.safeParse(response);
  if (data === undefined) return null;
  const { userHandle, ...signed } = data.response;
  return {
    ...data,
    response: { ...signed, ...(userHandle === undefined ? {} : { userHandle }) },
    clientExtensionResults: {},
  };
}
