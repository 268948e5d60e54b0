/** Where a proof of a factor stands in a call: a header, the body's member `proof`, or behind the credential (R-STEP-1). */
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Proof } from "../app/proof.ts";
import { problem, type Problem } from "./problem.ts";

const response = z.record(z.string(), z.json());
const code = z.string().min(1).max(64);

const proofSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("passkey"), challenge: z.uuid(), response }),
  z.strictObject({ type: z.literal("totp"), code }),
  z.strictObject({ type: z.literal("backup_code"), code }),
]);

const passkeyHeader = z.strictObject({ challenge: z.uuid(), response });
/** The same in the words of the deploy gate's clients: the answer may be a text of JSON (deploy R-MFA-2). */
const assertionHeader = z.object({
  session_data: z.uuid(),
  assertion_response: z.union([
    response,
    z
      .string()
      .transform((text) => parsed(text))
      .pipe(response),
  ]),
});

/** Null when the call carries none; more than one is one too many. */
export function sentProof(request: FastifyRequest, suffix: Proof | null): Proof | Problem | null {
  const { headers } = request;
  const found: (Proof | Problem)[] = suffix === null ? [] : [suffix];
  const totp = headers["x-mfa-totp"];
  if (typeof totp === "string") found.push(coded("totp", totp));
  const backup = headers["x-mfa-backup-code"];
  if (typeof backup === "string") found.push(coded("backup_code", backup));
  const passkey = headers["x-mfa-webauthn"];
  if (typeof passkey === "string") found.push(fromBase64(passkey));
  const inBody = memberProof(request.body);
  if (inBody !== undefined) found.push(fromJson(inBody));
  if (found.length > 1) return problem("invalid_mfa_type", "Send one proof, not several");
  return found[0] ?? null;
}

/** The body without the proof: what the route itself reads. */
export function withoutProof(body: unknown): unknown {
  if (memberProof(body) === undefined || typeof body !== "object" || body === null) return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => name !== "proof"));
}

/** `<token>.totp.<code>`, `<token>.webauthn.<base64>`: at most three parts. */
export function proofFromSuffix(presented: string): { readonly token: string; readonly proof: Proof | null } {
  const [, token = "", type = "", value = ""] = /^([A-Za-z0-9_-]{43})\.(totp|webauthn)\.(.+)$/.exec(presented) ?? [];
  if (token === "") return { token: presented, proof: null };
  const proof = type === "totp" ? coded("totp", value) : fromBase64(value);
  return "code" in proof && "message" in proof ? { token: presented, proof: null } : { token, proof };
}

function memberProof(body: unknown): unknown {
  return typeof body === "object" && body !== null && "proof" in body ? body.proof : undefined;
}

function coded(type: "totp" | "backup_code", text: string): Proof | Problem {
  const read = code.safeParse(text.trim());
  if (!read.success) return unknownKind();
  // Older clients send a backup code where they send the other kind (deploy R-CLI-11).
  return type === "totp" ? typedProof(read.data) : { type, code: read.data };
}

function fromBase64(text: string): Proof | Problem {
  const given = parsed(Buffer.from(text, "base64").toString("utf8"));
  const read = passkeyHeader.safeParse(given);
  return read.success ? { type: "passkey", ...read.data } : (assertionProof(given) ?? unknownKind());
}

/** `{session_data, assertion_response}`, as a header's or a body's content; null when it is something else. */
export function assertionProof(given: unknown): Proof | null {
  const read = assertionHeader.safeParse(given);
  if (!read.success) return null;
  const { session_data: challenge, assertion_response: answer } = read.data;
  return { type: "passkey", challenge, response: answer };
}

/** What somebody typed where either kind of code is asked for. */
export function typedProof(text: string): Proof {
  const typed = text.trim();
  return { type: /^[0-9 ]{6,9}$/.test(typed) ? "totp" : "backup_code", code: typed };
}

function fromJson(value: unknown): Proof | Problem {
  const read = proofSchema.safeParse(value);
  return read.success ? read.data : unknownKind();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unknownKind(): Problem {
  return problem("invalid_mfa_type", "The proof must be a passkey's answer, an authenticator code or a backup code");
}
