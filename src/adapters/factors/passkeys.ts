/**
 * Passkeys by the library: options, and every step of WebAuthn Level 3 for registering a credential and verifying an
 * assertion (identity R-FACT-1, R-FACT-2, R-FACT-11 and rows 7 to 10 of its table 7.3).
 */
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server";
import type { JsonObject } from "../../core/json.ts";
import type { Asserted, NewPasskey, PasskeyFault, Passkeys } from "../../ports/factors.ts";
import type { FactorRecord } from "../../ports/identity-records.ts";
import { believeAttestationRoots, readAttestation } from "./attestation.ts";
import { isOfThisPage } from "./client-data.ts";
import { readAssertion, readRegistration, type AssertionAnswer } from "./passkey-answers.ts";

export interface PasskeySite {
  /** The host that passkeys belong to, or a registrable suffix of it. */
  readonly rpId: string;
  /** Scheme, host and port, compared as text. */
  readonly origin: string;
  readonly rpName: string;
  /** Certificates of makers of authenticators, PEM; where there are none, no list of models can be met (R-FACT-12). */
  readonly attestationRoots?: readonly string[];
}

const TIMEOUT_MS = 120_000;
/** ES256, EdDSA, RS256: in this order of preference. */
const ALGORITHMS = [-7, -8, -257] as const;
const NO_ATTESTATION = "none";

type Descriptor = Pick<FactorRecord, "credentialId" | "transports">;

export function createPasskeys(site: PasskeySite): Passkeys {
  const { rpId, origin } = site;
  if (site.attestationRoots !== undefined) believeAttestationRoots(site.attestationRoots);
  return {
    rpId,
    origin,
    registrationOptions: ({ challenge, handle, name, displayName, exclude }) => ({
      challenge: base64url(challenge),
      rp: { id: rpId, name: site.rpName },
      user: { id: handle, name, displayName },
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
      timeout: TIMEOUT_MS,
      attestation: NO_ATTESTATION,
      excludeCredentials: exclude.flatMap(descriptor),
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
      extensions: { credProps: true },
    }),
    verifyRegistration: async (response, challenge) => {
      const answer = readRegistration(response);
      if (answer === null) return invalid("not a registration");
      return verified(() => registered(answer, challenge, site));
    },
    assertionOptions: ({ challenge, allow }) => ({
      challenge: base64url(challenge),
      rpId,
      timeout: TIMEOUT_MS,
      userVerification: "required",
      ...(allow === null ? {} : { allowCredentials: allow.flatMap(descriptor) }),
    }),
    credentialIdOf: (response) => readAssertion(response)?.id ?? null,
    userHandleOf: (response) => readAssertion(response)?.response.userHandle ?? null,
    verifyAssertion: async (response, challenge, factor) => {
      const answer = readAssertion(response);
      if (answer === null) return invalid("not an assertion");
      return verified(() => asserted(answer, challenge, { factor, site }));
    },
  };
}

function descriptor({ credentialId, transports }: Descriptor): readonly JsonObject[] {
  if (credentialId === null) return [];
  return [{ type: "public-key", id: credentialId, ...(transports === null ? {} : { transports: [...transports] }) }];
}

async function registered(
  answer: NonNullable<ReturnType<typeof readRegistration>>,
  challenge: string,
  { rpId, origin }: PasskeySite,
): Promise<NewPasskey | PasskeyFault> {
  if (!isOfThisPage(answer.response.clientDataJSON)) return invalid("the page was framed by another one");
  const attestation = readAttestation(answer.response.attestationObject);
  if (!attestation.mayBeVerified) return invalid("an attestation of this form is not taken");
  const { registrationInfo } = await verifyRegistrationResponse({
    response: answer,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: rpId,
    // Looked at below: a person who was not verified gets an answer of its own.
    requireUserVerification: false,
    supportedAlgorithmIDs: [...ALGORITHMS],
  });
  if (registrationInfo === undefined) return invalid("the attestation does not hold");
  if (!registrationInfo.userVerified) return NOT_VERIFIED;
  const { credential, attestationObject } = registrationInfo;
  const algorithm = coseAlgorithm(credential.publicKey);
  if (algorithm === null) return invalid("the algorithm of the key was not offered");
  return {
    credentialId: credential.id,
    publicKey: base64url(credential.publicKey),
    algorithm,
    signCount: credential.counter,
    transports: answer.response.transports,
    aaguid: registrationInfo.aaguid,
    backupEligible: registrationInfo.credentialDeviceType === "multiDevice",
    backedUp: registrationInfo.credentialBackedUp,
    attestation: attestation.isRooted ? base64url(attestationObject) : "",
  };
}

async function asserted(
  answer: AssertionAnswer,
  challenge: string,
  { factor, site }: { readonly factor: FactorRecord; readonly site: PasskeySite },
): Promise<Asserted | PasskeyFault> {
  if (factor.credentialId !== answer.id || factor.publicKey === null) return invalid("another credential");
  if (!isOfThisPage(answer.response.clientDataJSON)) return invalid("the page was framed by another one");
  const { verified: isSigned, authenticationInfo } = await verifyAuthenticationResponse({
    response: answer,
    expectedChallenge: challenge,
    expectedOrigin: site.origin,
    expectedRPID: site.rpId,
    requireUserVerification: false,
    credential: {
      id: factor.credentialId,
      publicKey: Uint8Array.from(Buffer.from(factor.publicKey, "base64url")),
      // The library looks at the counter before the signature; a forged answer must not disable anybody's key.
      counter: 0,
    },
  });
  if (!isSigned) return invalid("the signature does not hold");
  if (!authenticationInfo.userVerified) return NOT_VERIFIED;
  const isEligible = authenticationInfo.credentialDeviceType === "multiDevice";
  if (isEligible !== (factor.backupEligible ?? false)) return invalid("the backup eligibility of the key has changed");
  const signCount = authenticationInfo.newCounter;
  if (isRegressed(signCount, factor.signCount ?? 0)) {
    return { fault: "factor_counter_regressed", detail: "the counter of the key did not grow: it may be a copy" };
  }
  const { authenticatorData, clientDataJSON, signature } = answer.response;
  return {
    signCount,
    backedUp: authenticationInfo.credentialBackedUp,
    authenticatorData,
    clientData: clientDataJSON,
    signature,
  };
}

/** A counter that stays at zero is none (identity R-FACT-11). */
function isRegressed(signCount: number, known: number): boolean {
  return (signCount !== 0 || known !== 0) && signCount <= known;
}

/** What the library refuses it throws; so does what cannot be read at all. */
async function verified<Result>(check: () => Promise<Result | PasskeyFault>): Promise<Result | PasskeyFault> {
  try {
    return await check();
  } catch (error) {
    return invalid(error instanceof Error ? error.message : "it cannot be read");
  }
}

const NOT_VERIFIED: PasskeyFault = {
  fault: "user_not_verified",
  detail: "the authenticator did not verify the person (PIN, fingerprint, face)",
};

function invalid(detail: string): PasskeyFault {
  return { fault: "assertion_invalid", detail };
}

/** Member 3 of the COSE key: in canonical CBOR, the one form that is accepted, it stands right after the key type. */
function coseAlgorithm(publicKey: Uint8Array): number | null {
  const start = Buffer.from(publicKey.subarray(1, 7)).toString("hex");
  if (start.startsWith("01020326")) return -7;
  if (start.startsWith("01010327")) return -8;
  return start === "010303390100" ? -257 : null;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
