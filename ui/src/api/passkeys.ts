import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";
import {
  browserSupportsWebAuthn,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
  WebAuthnError,
} from "@simplewebauthn/browser";

import type { Json, JsonObject } from "./read.ts";
import { json } from "./read.ts";

/** The ceremonies of the browser, and what went wrong in them in words. */
class PasskeyFailed extends Error {
  /** Another ceremony took its place, or the page moved on: nobody has to read about it. */
  readonly abandoned: boolean;

  constructor(message: string, cause: unknown, abandoned = false) {
    super(message, { cause });
    this.name = "PasskeyFailed";
    this.abandoned = abandoned;
  }
}

export function passkeysSupported(): boolean {
  return browserSupportsWebAuthn();
}

/** Ends a ceremony that waits in the background, as the one behind a sign-in field. */
export function abandonPasskey(): void {
  WebAuthnAbortService.cancelCeremony();
}

let pressed = 0;

/** While this runs no field begins to offer passkeys: a browser holds one ceremony, and the one that was asked for stays. */
export async function insteadOfField<Done>(ceremony: () => Promise<Done>): Promise<Done> {
  abandonPasskey();
  pressed += 1;
  try {
    return await ceremony();
  } finally {
    pressed -= 1;
  }
}

export async function createPasskey(options: JsonObject): Promise<Json> {
  if (!isCreationOptions(options))
    throw new PasskeyFailed("The server's options for a passkey cannot be read.", options);
  return answerOf(() => startRegistration({ optionsJSON: options }), creationFaults);
}

/** With `inField` the browser offers passkeys in the sign-in field and the promise waits for a choice. */
export async function askPasskey(options: JsonObject, inField = false): Promise<Json> {
  if (!isRequestOptions(options))
    throw new PasskeyFailed("The server's challenge for a passkey cannot be read.", options);
  if (inField && pressed > 0) throw new PasskeyFailed("A passkey was asked for by a button meanwhile.", null, true);
  return answerOf(() => startAuthentication({ optionsJSON: options, useBrowserAutofill: inField }), requestFaults);
}

type Faults = Readonly<Record<string, string>>;

const requestFaults: Faults = {
  NotAllowedError:
    "No passkey was used. It was cancelled, took too long, none of yours is here, or the device did not check that it is you.",
  SecurityError: "Passkeys do not work at this address: it is not the one this server was set up with.",
};

const creationFaults: Faults = {
  NotAllowedError: "No passkey was made. It was cancelled, took too long, or the device did not check that it is you.",
  InvalidStateError: "This device already holds one of your passkeys.",
  ConstraintError: "This device cannot check that it is you (fingerprint, face or PIN). Use another one.",
  SecurityError: "Passkeys do not work at this address: it is not the one this server was set up with.",
};

async function answerOf(ceremony: () => Promise<unknown>, faults: Faults): Promise<Json> {
  try {
    // Through its text: members that are undefined are not JSON.
    const answer: unknown = JSON.parse(JSON.stringify(await ceremony()));
    return json(answer, "passkey");
  } catch (failure) {
    const abandoned = failure instanceof WebAuthnError && failure.code === "ERROR_CEREMONY_ABORTED";
    const name = failure instanceof Error ? failure.name : "";
    throw new PasskeyFailed(faults[name] ?? "The passkey could not be used on this device.", failure, abandoned);
  }
}

function isCreationOptions(options: unknown): options is PublicKeyCredentialCreationOptionsJSON {
  return isChallenge(options) && "rp" in options && "user" in options && "pubKeyCredParams" in options;
}

function isRequestOptions(options: unknown): options is PublicKeyCredentialRequestOptionsJSON {
  return isChallenge(options);
}

function isChallenge(options: unknown): options is object {
  return (
    typeof options === "object" && options !== null && "challenge" in options && typeof options.challenge === "string"
  );
}
