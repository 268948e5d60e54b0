/**
 * An authenticator made of node:crypto: real keys, real registration and assertion answers in the JSON that browsers send.
 * What an attacker would change can be changed: origin, flags, counter, challenge.
 *
 *     const key = new SoftwareAuthenticator({ origin: "http://localhost:8000" });
 *     const registration = key.register(creationOptions);
 *     const proof = key.assert(requestOptions);
 */
import {
  createHash,
  createHmac,
  createSign,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from "node:crypto";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";

export type SoftwareAlgorithm = -7 | -8 | -257;

export interface AuthenticatorOptions {
  readonly origin: string;
  /** ES256 unless said otherwise. */
  readonly algorithm?: SoftwareAlgorithm;
  /** A passkey that is synchronized between devices. */
  readonly synced?: boolean;
  /** Counts its uses from 1; else the counter stays at zero, as that of synchronized passkeys. */
  readonly counts?: boolean;
  /** Says which model it is, and by which certificate if its maker vouches for that; else it says nothing. */
  readonly attestation?: SoftwareAttestation;
}

export interface SoftwareAttestation {
  readonly aaguid: string;
  /** The maker's, with the key that signs; absent where the key speaks for itself. */
  readonly maker?: { readonly certificate: Buffer; readonly privateKey: KeyObject };
}

/** What differs from an honest answer. */
export interface Spoiled {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly userVerified?: boolean;
  readonly userPresent?: boolean;
  readonly signCount?: number;
  readonly clientData?: JsonObject;
  readonly userHandle?: string;
  /** Changes the signature's last byte. */
  readonly badSignature?: boolean;
}

interface SoftwareCredential {
  readonly id: string;
  readonly rpId: string;
  readonly userHandle: string;
  readonly privateKey: KeyObject;
  signCount: number;
}

const FLAG = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10, credential: 0x40 } as const;

export class SoftwareAuthenticator {
  readonly #options: Required<Omit<AuthenticatorOptions, "attestation">>;
  readonly #attestation: SoftwareAttestation | undefined;
  readonly #credentials: SoftwareCredential[] = [];

  constructor({ origin, algorithm = -7, synced = false, counts = !synced, attestation }: AuthenticatorOptions) {
    this.#options = { origin, algorithm, synced, counts };
    this.#attestation = attestation;
  }

  /** The ids of the credentials made so far, the newest last. */
  get credentialIds(): readonly string[] {
    return this.#credentials.map(({ id }) => id);
  }

  /** Another device with the same keys and the counters as they are now. */
  clone(): SoftwareAuthenticator {
    const copy = new SoftwareAuthenticator({
      ...this.#options,
      ...(this.#attestation === undefined ? {} : { attestation: this.#attestation }),
    });
    copy.#credentials.push(...this.#credentials.map((credential) => ({ ...credential })));
    return copy;
  }

  /** What `navigator.credentials.create` gives for these options. */
  register(options: JsonValue, spoiled: Spoiled = {}): JsonObject {
    const rpId = text(options, "rp", "id");
    const { privateKey, publicKey } = keyPair(this.#options.algorithm);
    const id = randomBytes(16);
    const signCount = this.#options.counts ? 1 : 0;
    const credential = {
      id: id.toString("base64url"),
      userHandle: text(options, "user", "id"),
      ...{ rpId, privateKey, signCount },
    };
    this.#credentials.push(credential);
    const attested = Buffer.concat([
      Buffer.from((this.#attestation?.aaguid ?? "").replaceAll("-", "").padEnd(32, "0"), "hex"),
      uint16(id.length),
      id,
      coseKey(publicKey, this.#options.algorithm),
    ]);
    const authData = Buffer.concat([this.#authenticatorData(credential, spoiled, FLAG.credential), attested]);
    const clientDataJSON = this.#clientData("webauthn.create", text(options, "challenge"), spoiled);
    const statement = this.#statement(Buffer.concat([authData, sha256(clientDataJSON)]), { privateKey, spoiled });
    const attestationObject = cbor(
      new Map<CborKey, Cbor>([
        ["fmt", statement.size === 0 ? "none" : "packed"],
        ["attStmt", statement],
        ["authData", authData],
      ]),
    );
    return {
      ...{ id: credential.id, rawId: credential.id, type: "public-key", authenticatorAttachment: "platform" },
      clientExtensionResults: { credProps: { rk: true } },
      response: {
        clientDataJSON: clientDataJSON.toString("base64url"),
        attestationObject: attestationObject.toString("base64url"),
        transports: this.#options.synced ? ["hybrid", "internal"] : ["usb"],
      },
    };
  }

  /** What `navigator.credentials.get` gives for these options, by the newest credential that they allow. */
  assert(options: JsonValue, spoiled: Spoiled = {}): JsonObject {
    const rpId = text(options, "rpId");
    const allowed = allowedIds(options);
    const credential = this.#credentials.findLast(
      (known) => known.rpId === rpId && (allowed === null || allowed.includes(known.id)),
    );
    if (credential === undefined) throw new Error(`No credential of this authenticator is allowed at ${rpId}`);
    if (this.#options.counts) credential.signCount += 1;
    const authData = this.#authenticatorData(credential, spoiled, 0);
    const clientDataJSON = this.#clientData("webauthn.get", text(options, "challenge"), spoiled);
    const signature = signed(
      Buffer.concat([authData, sha256(clientDataJSON)]),
      credential.privateKey,
      this.#options.algorithm,
    );
    if (spoiled.badSignature === true) signature.writeUInt8((signature.at(-1) ?? 0) ^ 1, signature.length - 1);
    return {
      ...{ id: credential.id, rawId: credential.id, type: "public-key", authenticatorAttachment: "platform" },
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientDataJSON.toString("base64url"),
        authenticatorData: authData.toString("base64url"),
        signature: signature.toString("base64url"),
        userHandle: spoiled.userHandle ?? credential.userHandle,
      },
    };
  }

  /** Packed attestation (WebAuthn 8.2): by the maker's key with its certificate, or by the credential's own. */
  #statement(
    message: Buffer,
    { privateKey, spoiled }: { readonly privateKey: KeyObject; readonly spoiled: Spoiled },
  ): Map<CborKey, Cbor> {
    if (this.#attestation === undefined) return new Map();
    const { maker } = this.#attestation;
    const algorithm = maker === undefined ? this.#options.algorithm : -7;
    const sig = signed(message, maker?.privateKey ?? privateKey, algorithm);
    if (spoiled.badSignature === true) sig.writeUInt8((sig.at(-1) ?? 0) ^ 1, sig.length - 1);
    const said: readonly [CborKey, Cbor][] = [
      ["alg", algorithm],
      ["sig", sig],
    ];
    return new Map<CborKey, Cbor>(maker === undefined ? said : [...said, ["x5c", [maker.certificate]]]);
  }

  #authenticatorData(credential: SoftwareCredential, spoiled: Spoiled, more: number): Buffer {
    const { synced } = this.#options;
    const flags =
      more |
      ((spoiled.userPresent ?? true) ? FLAG.userPresent : 0) |
      ((spoiled.userVerified ?? true) ? FLAG.userVerified : 0) |
      (synced ? FLAG.backupEligible | FLAG.backedUp : 0);
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(spoiled.signCount ?? credential.signCount);
    const rpIdHash = sha256(Buffer.from(spoiled.rpId ?? credential.rpId, "utf8"));
    return Buffer.concat([rpIdHash, Buffer.of(flags), counter]);
  }

  #clientData(type: string, challenge: string, spoiled: Spoiled): Buffer {
    const data = {
      type: spoiled.type ?? type,
      challenge: spoiled.challenge ?? challenge,
      origin: spoiled.origin ?? this.#options.origin,
      crossOrigin: false,
      ...spoiled.clientData,
    };
    return Buffer.from(JSON.stringify(data), "utf8");
  }
}

/** The code that an authenticator app shows for this base32 secret at this time in milliseconds (RFC 6238). */
export function totpCode(secret: string, at: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac("sha1", base32(secret)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, "0");
}

function base32(encoded: string): Buffer {
  const bits = Array.from(encoded.replace(/=+$/, ""), (letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  ).join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

function keyPair(algorithm: SoftwareAlgorithm): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  switch (algorithm) {
    case -7:
      return generateKeyPairSync("ec", { namedCurve: "P-256" });
    case -8:
      return generateKeyPairSync("ed25519");
    case -257:
      return generateKeyPairSync("rsa", { modulusLength: 2048 });
  }
}

function signed(message: Buffer, key: KeyObject, algorithm: SoftwareAlgorithm): Buffer {
  return algorithm === -8 ? sign(null, message, key) : createSign("sha256").update(message).sign(key);
}

/** The key as authenticators write it: canonical CBOR, its members in their order. */
function coseKey(publicKey: KeyObject, algorithm: SoftwareAlgorithm): Buffer {
  const jwk = publicKey.export({ format: "jwk" });
  const bytes = (member: "x" | "y" | "n" | "e"): Buffer => Buffer.from(jwk[member] ?? "", "base64url");
  const members: Readonly<Record<SoftwareAlgorithm, readonly (readonly [number, Cbor])[]>> = {
    [-7]: [
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, bytes("x")],
      [-3, bytes("y")],
    ],
    [-8]: [
      [1, 1],
      [3, -8],
      [-1, 6],
      [-2, bytes("x")],
    ],
    [-257]: [
      [1, 3],
      [3, -257],
      [-1, bytes("n")],
      [-2, bytes("e")],
    ],
  };
  return cbor(new Map<CborKey, Cbor>(members[algorithm]));
}

type CborKey = number | string;
type Cbor = number | string | Buffer | readonly Cbor[] | Map<CborKey, Cbor>;

function cbor(value: Cbor): Buffer {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value, "utf8")]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (!(value instanceof Map)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  const members = [...value].flatMap(([name, member]) => [cbor(name), cbor(member)]);
  return Buffer.concat([head(5, value.size), ...members]);
}

function head(major: number, size: number): Buffer {
  const type = major << 5;
  if (size < 24) return Buffer.of(type | size);
  return size < 256 ? Buffer.of(type | 24, size) : Buffer.concat([Buffer.of(type | 25), uint16(size)]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function allowedIds(options: JsonValue): readonly string[] | null {
  const list = member(options, "allowCredentials");
  return Array.isArray(list) ? list.map((each: JsonValue) => text(each, "id")) : null;
}

function text(value: JsonValue | undefined, ...path: readonly string[]): string {
  const found = path.reduce<JsonValue | undefined>(member, value);
  if (typeof found !== "string") throw new Error(`The options have no text at ${path.join(".")}`);
  return found;
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}

function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
