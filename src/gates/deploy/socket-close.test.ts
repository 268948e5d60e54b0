import { describe, expect, it } from "vitest";
import {
  accessRevoked,
  closeAfterClient,
  closeAfterRack,
  isSocketClose,
  lastedTooLong,
  messageTooLarge,
  serverStops,
} from "./socket-close.ts";

const PASSED_ON = [1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const NOT_PASSED_ON = [0, 999, 1002, 1004, 1006, 1015, 1016, 2000, 2999, 5000, 65_535];

describe("deploy R-WS-4: what the other end is told", () => {
  it("deploy R-WS-4: these codes are passed on with their reason, both ways", () => {
    for (const code of PASSED_ON) {
      const loss = { kind: "closed", code, reason: "because" } as const;
      expect([closeAfterRack(loss, false), closeAfterClient(loss)]).toEqual([
        { code, reason: "because" },
        { code, reason: "because" },
      ]);
    }
  });

  it("deploy R-WS-4: no other code is: the end that had it counts as lost", () => {
    for (const code of NOT_PASSED_ON) {
      const loss = { kind: "closed", code, reason: "because" } as const;
      expect(closeAfterRack(loss, true)).toEqual({ code: 1011, reason: "rack connection lost" });
      expect(closeAfterClient(loss)).toEqual({ code: 1001, reason: "" });
    }
  });

  it("deploy R-WS-4: a close without a code stays one", () => {
    const loss = { kind: "closed", code: 1005, reason: "" } as const;
    expect([closeAfterRack(loss, false), closeAfterClient(loss)]).toEqual([
      { code: null, reason: "" },
      { code: null, reason: "" },
    ]);
  });

  it("deploy R-WS-4: an end that drops is 1000 after the rack's last message, else 1011; a client's is 1001", () => {
    expect(closeAfterRack({ kind: "dropped" }, true)).toEqual({ code: 1000, reason: "" });
    expect(closeAfterRack({ kind: "dropped" }, false)).toEqual({ code: 1011, reason: "rack connection lost" });
    expect(closeAfterClient({ kind: "dropped" })).toEqual({ code: 1001, reason: "" });
  });

  it("deploy R-WS-3: a message that is too large is 1009 on both ends", () => {
    expect(closeAfterRack({ kind: "too_large" }, true)).toEqual(messageTooLarge);
    expect(closeAfterClient({ kind: "too_large" })).toEqual(messageTooLarge);
    expect(messageTooLarge.code).toBe(1009);
  });
});

describe("deploy R-WS-5: closes of the gate's own", () => {
  it("deploy R-WS-5: a revocation is 1008, the end of the time and of the server 1001", () => {
    expect([accessRevoked, lastedTooLong.code, serverStops.code]).toEqual([
      { code: 1008, reason: "access was revoked" },
      1001,
      1001,
    ]);
  });

  it("deploy R-WS-5: the reason of an abort is a close, or it is not", () => {
    expect(isSocketClose(serverStops)).toBe(true);
    const coded = Object.assign(new Error("x"), { code: "ECONNRESET", reason: "x" });
    for (const other of [undefined, null, "1000", { code: 1000 }, { reason: "x" }, { code: "1", reason: "x" }, coded]) {
      expect(isSocketClose(other)).toBe(false);
    }
  });
});
