import { expect, it } from "vitest";
import { isId } from "./ids.ts";

it("engine R-API-3: an id is lower-case UUID text and nothing else", () => {
  expect(isId("3f2504e0-4f89-41d3-9a0c-0305e82c3301")).toBe(true);
  expect(isId("3F2504E0-4F89-41D3-9A0C-0305E82C3301")).toBe(false);
  expect(isId("3f2504e0-4f89-41d3-9a0c-0305e82c330")).toBe(false);
  expect(isId("3f2504e0-4f89-41d3-9a0c-0305e82c3301\n")).toBe(false);
});
