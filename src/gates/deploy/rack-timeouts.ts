/** How long may a rack take? Implements docs/spec/deploy.md R-PROXY-8; all in milliseconds. */

export interface RackTimeouts {
  /** From the last byte of the request to the headers of the answer. */
  readonly headersMs: number;
  /** Between two bytes of the answer. */
  readonly answerIdleMs: number;
  /** Between two bytes of the request's body. */
  readonly uploadIdleMs: number;
  /** Of the request's body from its first byte to its last. */
  readonly uploadMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export const quickCall: RackTimeouts = {
  ...{ headersMs: 60 * SECOND, answerIdleMs: 10 * MINUTE, uploadIdleMs: 60 * SECOND, uploadMs: 60 * MINUTE },
};

/** Builds, promotes and `PUT /system`. */
export const slowCall: RackTimeouts = { ...quickCall, headersMs: 300 * SECOND };
