/** Authenticator codes: SHA-1, 6 digits, 30 seconds, one step either side (RFC 6238, identity R-FACT-4). */
import { randomBytes } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import { renderSVG } from "uqr";
import type { Totp } from "../../ports/factors.ts";

const SECRET_BYTES = 20;
const PERIOD_SECONDS = 30;
const DIGITS = 6;
const STEPS_EITHER_SIDE = 1;
const CODE = /^\d{6}$/;

export function createTotp(random: (length: number) => Uint8Array = randomBytes): Totp {
  return {
    newSecret: () => new Secret({ buffer: Uint8Array.from(random(SECRET_BYTES)).buffer }).base32,
    enrolment(secret, account, issuer) {
      // A colon parts issuer and account in the label.
      const [label, by] = [account, issuer].map((name) => name.replaceAll(":", " ").trim());
      const uri = new TOTP({ ...ALGORITHM, secret: Secret.fromBase32(secret), label, issuer: by }).toString();
      return { uri, qr: renderSVG(uri, { ecc: "M", border: 4 }) };
    },
    matchingStep(secret, code, now) {
      const token = code.replaceAll(/\s/g, "");
      if (!CODE.test(token)) return null;
      const totp = new TOTP({ ...ALGORITHM, secret: Secret.fromBase32(secret) });
      const delta = totp.validate({ token, timestamp: now, window: STEPS_EITHER_SIDE });
      return delta === null ? null : Math.floor(now / 1_000 / PERIOD_SECONDS) + delta;
    },
  };
}

const ALGORITHM = { algorithm: "SHA1", digits: DIGITS, period: PERIOD_SECONDS } as const;
