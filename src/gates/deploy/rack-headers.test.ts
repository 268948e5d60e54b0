import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDeployRefusal } from "./deploy-refusal.ts";
import { headersFromRack, optionHeaders, readRackHeaders, type HeaderPair, type RackHeaders } from "./rack-headers.ts";

/** docs/spec/deploy.md R-PROXY-5, as it stands there. */
const ALLOWED = [
  ...["Accept", "Accept-Encoding", "Content-Type", "Content-Length", "Range", "User-Agent", "Version"],
  ...["Command", "Cpu", "Cpu-Limit", "Disable-Stdin", "Entrypoint", "Environment", "Filter", "Follow", "Gpu"],
  ...["Gpu-Vendor", "Height", "Image", "Maxlogrequests", "Memory", "Memory-Limit", "Node-Labels", "Prefix"],
  ...["Previous", "Privileged", "Public", "Release", "Since", "System-Critical", "Tail", "Tty"],
  ...["Use-Service-Volume", "Volumes", "Width"],
];

const DROPPED = [
  ...["Authorization", "Cookie", "Host", "Convox-Actor", "X-Convox-Actor", "X-User-Email", "X-User-Name"],
  ...["X-Audit-Resource", "X-Mfa-Totp", "X-MFA-WebAuthn", "X-Request-Id", "X-Forwarded-For", "Forwarded", "Origin"],
  ...["Url", "Name", "Manifest", "Git-Sha", "Transfer-Encoding", "Upgrade", "TE", "Expect", "Proxy-Authorization"],
  ...["Content-Encoding", "Countersign-Git-Sha", "If-None-Match", "__proto__", "constructor"],
];

function read(pairs: readonly HeaderPair[]): RackHeaders {
  const headers = readRackHeaders(pairs);
  if (isDeployRefusal(headers)) throw new Error(headers.message);
  return headers;
}

function codeOf(pairs: readonly HeaderPair[]): string {
  const headers = readRackHeaders(pairs);
  return isDeployRefusal(headers) ? headers.code : "none";
}

describe("headers to the rack", () => {
  it.each(ALLOWED)("deploy R-PROXY-5: forwards %s in the rack's spelling", (name) => {
    expect(read([[name.toLowerCase(), "1"]]).forwarded).toEqual([[name, "1"]]);
    expect(read([[name.toUpperCase(), "1"]]).forwarded).toEqual([[name, "1"]]);
  });

  it.each(DROPPED)("deploy R-PROXY-5: drops %s", (name) => {
    expect(read([[name, "close"]]).forwarded).toEqual([]);
  });

  it("deploy R-PROXY-5: knows the options of the list and no others", () => {
    expect([...optionHeaders].sort()).toEqual(ALLOWED.slice(7).sort());
  });

  it("deploy R-PROXY-5: of every pair of names, both pass in order, unless they are one header sent twice", () => {
    const names = [...ALLOWED, ...DROPPED];
    for (const first of names) {
      for (const second of names) {
        const pairs: readonly HeaderPair[] = [
          [first, "a"],
          [second.toLowerCase(), "b"],
        ];
        const listed = pairs.filter(([name]) =>
          ALLOWED.some((allowed) => allowed.toLowerCase() === name.toLowerCase()),
        );
        const judged = ALLOWED.includes(first) || first === "Content-Encoding" || first === "Countersign-Git-Sha";
        if (first === second && judged) expect(codeOf(pairs), first).toBe("repeated_header");
        else expect(read(pairs).forwarded.map(([, value]) => value)).toEqual(listed.map(([, value]) => value));
      }
    }
  });

  it("deploy R-PROXY-5: whatever a client sends, only names of the list go on, each once and unchanged", () => {
    const name = fc.oneof(fc.constantFrom(...ALLOWED, ...DROPPED), fc.string({ maxLength: 12 }));
    const value = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (pairs) => {
        const headers = readRackHeaders(pairs);
        const forwarded = isDeployRefusal(headers) ? [] : headers.forwarded;
        const names = forwarded.map(([one]) => one);
        expect(new Set(names).size).toBe(names.length);
        expect(names.every((one) => ALLOWED.includes(one))).toBe(true);
        for (const [one, kept] of forwarded) {
          expect(pairs.some(([sent, text]) => sent.toLowerCase() === one.toLowerCase() && text === kept)).toBe(true);
        }
      }),
    );
  });

  it("deploy R-PROXY-5: hands out what the gate itself reads", () => {
    const headers = read([
      ["content-type", "application/x-www-form-urlencoded"],
      ["Content-Encoding", "gzip"],
      ["countersign-git-sha", "abc"],
      ["command", "sleep 60"],
    ]);
    expect(headers).toMatchObject({
      contentType: "application/x-www-form-urlencoded",
      contentEncoding: "gzip",
      commit: "abc",
      options: new Map([["Command", "sleep 60"]]),
    });
    expect(read([])).toMatchObject({ contentType: null, contentEncoding: null, commit: null, options: new Map() });
  });

  it("deploy R-PROXY-5: a value never carries another header", () => {
    for (const value of ["a\r\nConvox-Actor: root", "a\nb", "a\0", "a\u007f", "\u0100"]) {
      expect(codeOf([["Command", value]]), JSON.stringify(value)).toBe("header_invalid");
    }
    expect(codeOf([["Command", "caf\u00e9\t"]])).toBe("none");
  });

  it("deploy R-PROXY-5: the connection cannot make a header vanish that was judged", () => {
    expect(codeOf([["Connection", "Authorization"]])).toBe("header_invalid");
    expect(codeOf([["connection", "keep-alive, Command"]])).toBe("header_invalid");
    expect(
      codeOf([
        ["Connection", "close"],
        ["Connection", "Release"],
      ]),
    ).toBe("header_invalid");
    expect(codeOf([["Connection", "Keep-Alive, , Upgrade"]])).toBe("none");
  });
});

describe("headers from the rack", () => {
  const answer: readonly HeaderPair[] = [
    ["Content-Type", "application/json"],
    ["Content-Length", "12"],
    ["Connection", "X-Hop, close"],
    ["X-Hop", "1"],
    ["Keep-Alive", "timeout=5"],
    ["Transfer-Encoding", "chunked"],
    ["Upgrade", "h2c"],
    ["TE", "trailers"],
    ["Trailer", "X"],
    ["Proxy-Authenticate", "Basic"],
    ["Proxy-Authorization", "x"],
    ["Proxy-Connection", "close"],
    ["Set-Cookie", "session=1"],
    ["set-cookie", "other=1"],
    ["Request-Id", "r"],
    ["Vary", "a"],
    ["Vary", "b"],
  ];

  it("deploy R-PROXY-6: come back without hop-by-hop headers and cookies, the rest as it was", () => {
    expect(headersFromRack(answer, false)).toEqual([
      ["Content-Type", "application/json"],
      ["Content-Length", "12"],
      ["Request-Id", "r"],
      ["Vary", "a"],
      ["Vary", "b"],
    ]);
  });

  it("deploy R-PROXY-6: a body that was rewritten has no length of the old one", () => {
    expect(headersFromRack(answer, true).map(([name]) => name)).not.toContain("Content-Length");
  });
});
