import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import type { NewPasskey, PasskeyFault } from "../../ports/factors.ts";
import type { FactorRecord } from "../../ports/identity-records.ts";
import { isId } from "../../core/ids.ts";
import { authenticatorMaker } from "../../../test/support/authenticator-maker.ts";
import {
  SoftwareAuthenticator,
  type SoftwareAlgorithm,
  type SoftwareAttestation,
  type Spoiled,
} from "../../../test/support/software-authenticator.ts";
import { believeAttestationRoots, readAttestation, rootsIn } from "./attestation.ts";
import { createPasskeys } from "./passkeys.ts";

const origin = "https://approvals.example.com";
const passkeys = createPasskeys({ rpId: "approvals.example.com", origin, rpName: "Countersign" });
const challenge = Buffer.alloc(32, 7);
const challengeText = challenge.toString("base64url");
const handle = Buffer.alloc(32, 1).toString("base64url");

function creation(): JsonObject {
  return passkeys.registrationOptions({ challenge, handle, name: "ana", displayName: "Ana Ruiz", exclude: [] });
}

function isFault(result: object): result is PasskeyFault {
  return "fault" in result;
}

function factorOf(passkey: NewPasskey, more: Partial<FactorRecord> = {}): FactorRecord {
  const personId = "11111111-1111-4111-8111-111111111111";
  if (!isId<"person">(personId)) throw new Error("not an id");
  return {
    ...{ id: "22222222-2222-4222-8222-222222222222", personId, type: "passkey", name: "Key", rpId: passkeys.rpId },
    ...passkey,
    ...{ secret: null, createdAt: 0, usableAt: 0, lastUsedAt: null },
    ...{ signingDisabledAt: null, disabledAt: null, removedAt: null },
    ...more,
  };
}

async function enrolled(key: SoftwareAuthenticator): Promise<NewPasskey> {
  const result = await passkeys.verifyRegistration(key.register(creation()), challengeText);
  if (isFault(result)) throw new Error(result.detail);
  return result;
}

/** An attestation object in CBOR of this format, with one certificate of twenty bytes. */
function statement(format: string): string {
  const text = (value: string): Buffer => Buffer.concat([Buffer.of(0x60 | value.length), Buffer.from(value)]);
  const x5c = Buffer.concat([text("x5c"), Buffer.of(0x81, 0x54), Buffer.alloc(20, 1)]);
  const statements = [text("attStmt"), Buffer.of(0xa1), x5c, text("authData"), Buffer.of(0x40)];
  const parts = [Buffer.of(0xa3), text("fmt"), text(format), ...statements];
  return Buffer.concat(parts).toString("base64url");
}

const asking = passkeys.assertionOptions({ challenge, allow: null });

describe("passkeys", () => {
  it("identity R-FACT-1: asks for a discoverable passkey with user verification, ES256 before EdDSA before RS256, in 120 s", () => {
    expect(creation()).toMatchObject({
      rp: { id: "approvals.example.com" },
      user: { id: handle },
      pubKeyCredParams: [{ alg: -7 }, { alg: -8 }, { alg: -257 }],
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      timeout: 120_000,
    });
  });

  it("identity R-FACT-1: excludes the passkeys that the person has", () => {
    const options = passkeys.registrationOptions({
      ...{ challenge, handle, name: "ana", displayName: "Ana" },
      exclude: [{ credentialId: "AAAA", transports: ["usb"] }],
    });
    expect(options["excludeCredentials"]).toEqual([{ type: "public-key", id: "AAAA", transports: ["usb"] }]);
  });

  it.each<SoftwareAlgorithm>([-7, -8, -257])(
    "identity R-FACT-2: registers and verifies a key of algorithm %i",
    async (algorithm) => {
      const key = new SoftwareAuthenticator({ origin, algorithm });
      const passkey = await enrolled(key);
      expect(passkey).toMatchObject({ algorithm, signCount: 1, backupEligible: false, transports: ["usb"] });
      const result = await passkeys.verifyAssertion(key.assert(asking), challengeText, factorOf(passkey));
      expect(result).toMatchObject({ signCount: 2, backedUp: false });
    },
  );

  it("identity R-FACT-2: keeps whether a passkey is synchronized", async () => {
    const passkey = await enrolled(new SoftwareAuthenticator({ origin, synced: true }));
    expect(passkey).toMatchObject({ backupEligible: true, backedUp: true, signCount: 0 });
  });

  const wrongRegistrations: readonly (readonly [string, Spoiled, string])[] = [
    ["another origin", { origin: "https://approvals.example.com.evil.example" }, "assertion_invalid"],
    ["another port", { origin: `${origin}:8443` }, "assertion_invalid"],
    ["another RP id", { rpId: "example.com" }, "assertion_invalid"],
    ["another challenge", { challenge: Buffer.alloc(32, 8).toString("base64url") }, "assertion_invalid"],
    ["the type of an assertion", { type: "webauthn.get" }, "assertion_invalid"],
    ["a frame of another site", { clientData: { crossOrigin: true } }, "assertion_invalid"],
    ["a person who was not verified", { userVerified: false }, "user_not_verified"],
  ];
  it.each(wrongRegistrations)("identity R-FACT-1: refuses a registration with %s", async (_what, spoiled, fault) => {
    const key = new SoftwareAuthenticator({ origin });
    const result = await passkeys.verifyRegistration(key.register(creation(), spoiled), challengeText);
    expect(result).toMatchObject({ fault });
  });

  const wrongAssertions: readonly (readonly [string, Spoiled, string])[] = [
    ...wrongRegistrations.filter(([what]) => what !== "the type of an assertion"),
    ["the type of a registration", { type: "webauthn.create" }, "assertion_invalid"],
    ["a top origin", { clientData: { topOrigin: "https://evil.example" } }, "assertion_invalid"],
    ["nobody present", { userPresent: false }, "assertion_invalid"],
    ["a signature by no key of ours", { badSignature: true }, "assertion_invalid"],
    ["a counter that stands still", { signCount: 1 }, "factor_counter_regressed"],
    ["a counter that went back to zero", { signCount: 0 }, "factor_counter_regressed"],
  ];
  it.each(wrongAssertions)("identity R-FACT-11, 7.3: refuses an assertion with %s", async (_what, spoiled, fault) => {
    const key = new SoftwareAuthenticator({ origin });
    const passkey = await enrolled(key);
    const result = await passkeys.verifyAssertion(key.assert(asking, spoiled), challengeText, factorOf(passkey));
    expect(result).toMatchObject({ fault });
  });

  it("identity R-FACT-11: a forged answer with an old counter is a wrong answer, not a copied key", async () => {
    const key = new SoftwareAuthenticator({ origin });
    const passkey = await enrolled(key);
    const forged = key.assert(asking, { signCount: 0, badSignature: true });
    const result = await passkeys.verifyAssertion(forged, challengeText, factorOf(passkey));
    expect(result).toMatchObject({ fault: "assertion_invalid" });
  });

  it("identity R-FACT-11: a counter that stays at zero is none", async () => {
    const key = new SoftwareAuthenticator({ origin, synced: true });
    const passkey = await enrolled(key);
    const result = await passkeys.verifyAssertion(key.assert(asking), challengeText, factorOf(passkey));
    expect(result).toMatchObject({ signCount: 0 });
  });

  it("identity R-FACT-2: a key whose backup eligibility has changed is refused", async () => {
    const key = new SoftwareAuthenticator({ origin, synced: true });
    const changed = factorOf(await enrolled(key), { backupEligible: false });
    const result = await passkeys.verifyAssertion(key.assert(asking), challengeText, changed);
    expect(result).toMatchObject({ fault: "assertion_invalid" });
  });

  describe("of attested models", () => {
    const MODEL = "ee882879-721c-4913-9775-3dfcce97072a";
    const acme = authenticatorMaker("Acme");
    const stranger = authenticatorMaker("Stranger");
    const strict = createPasskeys({
      ...{ rpId: passkeys.rpId, origin, rpName: "Countersign" },
      attestationRoots: [acme.root],
    });
    const attested = (attestation: SoftwareAttestation, spoiled: Spoiled = {}): Promise<NewPasskey | PasskeyFault> =>
      strict.verifyRegistration(
        new SoftwareAuthenticator({ origin, attestation }).register(creation(), spoiled),
        challengeText,
      );

    it("identity R-FACT-12: believes a model that its maker's certificate vouches for, and keeps the statement", async () => {
      const passkey = await attested({ aaguid: MODEL, maker: acme.attestationFor(MODEL) });
      expect(passkey).toMatchObject({ aaguid: MODEL, backupEligible: false });
      expect(passkey).not.toMatchObject({ attestation: "" });
    });

    it("identity R-FACT-12: believes no model that a key names by itself", async () => {
      expect(await attested({ aaguid: MODEL })).toMatchObject({ aaguid: MODEL, attestation: "" });
    });

    it("identity R-FACT-12: believes no model beside a certificate that names none, whoever made it", async () => {
      const passkey = await attested({ aaguid: MODEL, maker: acme.attestationFor(null) });
      expect(passkey).toMatchObject({ aaguid: MODEL, attestation: "" });
    });

    it("identity R-FACT-12: refuses the certificate of a maker who is not believed, of another model, and a forged one", async () => {
      const other = "00000000-0000-4000-8000-000000000001";
      const refused = { fault: "assertion_invalid" };
      expect(await attested({ aaguid: MODEL, maker: stranger.attestationFor(MODEL) })).toMatchObject(refused);
      expect(await attested({ aaguid: MODEL, maker: acme.attestationFor(other) })).toMatchObject(refused);
      const forged = { badSignature: true };
      expect(await attested({ aaguid: MODEL, maker: acme.attestationFor(MODEL) }, forged)).toMatchObject(refused);
    });

    it("identity R-FACT-12: takes a file of certificates as a whole or not at all", () => {
      expect(rootsIn(`of two makers\n${acme.root}${stranger.root}`)).toHaveLength(2);
      const spoiled = stranger.root.replace(/\n..../, "\n0000");
      expect([rootsIn(""), rootsIn("no certificate"), rootsIn(`${acme.root}${spoiled}`)]).toEqual([null, null, null]);
    });

    it("identity R-FACT-12: believes nobody while no maker is believed", async () => {
      believeAttestationRoots([]);
      const passkey = await attested({ aaguid: MODEL, maker: stranger.attestationFor(MODEL) });
      believeAttestationRoots([acme.root]);
      expect(passkey).toMatchObject({ aaguid: MODEL, attestation: "" });
    });

    it("identity R-FACT-12: asks no server that a stranger's certificate names: an Android statement needs a root of ours", async () => {
      for (const format of ["android-key", "android-safetynet", "unheard-of"]) {
        expect(readAttestation(statement(format))).toEqual({ mayBeVerified: false, isRooted: false });
      }
    });
  });

  it("refuses what is no answer of an authenticator at all", async () => {
    const passkey = await enrolled(new SoftwareAuthenticator({ origin }));
    const nonsense = [null, "x", 7, [], {}, { id: "A", rawId: "A", type: "public-key", response: {} }] as const;
    for (const response of nonsense) {
      expect(await passkeys.verifyRegistration(response, challengeText)).toMatchObject({ fault: "assertion_invalid" });
      const result = await passkeys.verifyAssertion(response, challengeText, factorOf(passkey));
      expect(result).toMatchObject({ fault: "assertion_invalid" });
      expect(passkeys.credentialIdOf(response)).toBeNull();
    }
  });
});
