import { describe, expect, it } from "vitest";

import { nextCursor, query } from "./call.ts";
import { list, nullable, number, object, orElse, text, UnreadableAnswer } from "./read.ts";

describe("the answers of the server", () => {
  const read = object({ id: text, needed: nullable(number), names: orElse(list(text), []) });

  it("console R-CON-6: a member that is missing or of another type is named, never shown as something else", () => {
    expect(() => read({ id: 5 }, "")).toThrow(new UnreadableAnswer("id", "text"));
    expect(() => read({ id: "a", names: ["b", 3] }, "")).toThrow(new UnreadableAnswer("names[1]", "text"));
    expect(() => read([], "items[2]")).toThrow(new UnreadableAnswer("items[2]", "an object"));
  });

  it("absent and null members read the same, and unknown ones are left out", () => {
    expect(read({ id: "a", needed: null, more: 1 }, "")).toEqual({ id: "a", needed: null, names: [] });
    expect(read({ id: "a" }, "")).toEqual({ id: "a", needed: null, names: [] });
  });

  it.each([
    ['<http://h/v1/requests?limit=2&cursor=a%2Bb>; rel="next"', "a+b"],
    ['</v1/requests?cursor=x>; rel="prev", </v1/requests?cursor=y>; rel="next"', "y"],
    ['</v1/requests?cursor=x>; rel="prev"', null],
    [null, null],
  ])("engine R-API-10: the next page of %s is %s", (link, cursor) => {
    expect(nextCursor(link)).toBe(cursor);
  });

  it("console R-CON-7: only filters with a value are sent", () => {
    expect(query({ q: "a b&c", status: undefined, cursor: null, type: "", limit: 50 })).toBe("?q=a+b%26c&limit=50");
  });
});
