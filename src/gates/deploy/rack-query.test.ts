import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isQuery, rackQuery } from "./rack-query.ts";
import { rackRoutes } from "./rack-routes.ts";
import { encodeForm, parseForm } from "./url-encoded-form.ts";

function onRoute(template: string, method: string, rawQuery: string): string {
  const route = rackRoutes.find((row) => row.template === template && row.method === method);
  if (route === undefined) throw new Error(template);
  const query = rackQuery(route, rawQuery);
  return isQuery(query) ? query : query.code;
}

const anyText = fc.array(fc.nat(0x10_ffff)).map((points) => String.fromCodePoint(...points).replaceAll("\0", ""));
const wellFormed = anyText.filter((text) => !/\p{Cs}/u.test(text));

describe("query strings", () => {
  it.each(rackRoutes.map((row) => [row.method, row.template, row] as const))(
    "deploy R-ROUTE-3: %s %s",
    (method, template, row) => {
      const carried = method === "GET" && !template.endsWith("/exec");
      expect(onRoute(template, method, "command=id")).toBe(carried ? "command=id" : "query_not_allowed");
      expect(rackQuery(row, "")).toBe("");
    },
  );

  it.each([
    ["limit=5", "limit=5"],
    ["a=b&a=c", "a=b&a=c"],
    ["a", "a="],
    ["a=b+c%20d", "a=b%20c%20d"],
    ["a=%zz", "query_not_allowed"],
    ["a=%c3", "query_not_allowed"],
    ["a=b;c=d", "query_not_allowed"],
    ["a=%3Bc%3Dd", "a=%3Bc%3Dd"],
    ["a= ", "query_not_allowed"],
    ["a=é", "query_not_allowed"],
    ["a=%00", "query_not_allowed"],
    ["&&a=1&", "a=1"],
    ["a=b=c", "a=b%3Dc"],
    ["?a=1", "%3Fa=1"],
    ["a=1#b", "a=1%23b"],
  ])("deploy R-ROUTE-3: %j goes on as %j", (raw, expected) => {
    expect(onRoute("/apps/{app}/builds", "GET", raw)).toBe(expected);
  });
});

describe("the encoding of forms and queries", () => {
  it("deploy R-ROUTE-3: what we write, we read back unchanged, and so does the platform's own reader", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            wellFormed.filter((name) => name !== ""),
            wellFormed,
          ),
        ),
        (pairs) => {
          const text = encodeForm(pairs);
          expect(text).toMatch(/^[A-Za-z0-9._~%=&-]*$/);
          expect(parseForm(text)).toEqual(pairs);
          expect([...new URLSearchParams(text)]).toEqual(pairs);
        },
      ),
    );
  });

  it("deploy R-ROUTE-3: what we read of any text, the platform's own reader reads of our encoding of it", () => {
    const text = fc.array(fc.constantFrom(...Array.from("ab=&+%;2 50c3a9é\0"))).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (raw) => {
        const pairs = parseForm(raw);
        expect(pairs === null || JSON.stringify([...new URLSearchParams(raw)]) === JSON.stringify(pairs)).toBe(true);
        expect(pairs === null || JSON.stringify(parseForm(encodeForm(pairs))) === JSON.stringify(pairs)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("deploy R-ROUTE-3: every byte of ASCII but the unreserved is written encoded", () => {
    for (let byte = 1; byte < 0x80; byte += 1) {
      const character = String.fromCharCode(byte);
      const hex = byte.toString(16).toUpperCase().padStart(2, "0");
      const written = /[A-Za-z0-9._~-]/.test(character) ? character : `%${hex}`;
      expect(encodeForm([["a", character]])).toBe(`a=${written}`);
    }
  });

  it("deploy R-ROUTE-3: refuses every byte that is not visible ASCII, and the other separator", () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const visible = byte > 0x20 && byte < 0x7f && byte !== 0x3b && byte !== 0x25;
      expect(parseForm(`a${String.fromCharCode(byte)}`) !== null, `byte ${byte}`).toBe(visible);
    }
  });
});
