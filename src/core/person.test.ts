import { expect, it } from "vitest";
import { foldName, isMachineName } from "./person.ts";

it.each([
  ["STRASSE", "straße"],
  ["ſam", "SAM"],
  ["Ａｎｎ", "ann"],
  ["ﬁn", "FIN"],
  [" ann ", "Ann"],
  ["Åsa", "A\u030asa"],
])("engine R-AUTH-5: '%s' and '%s' are one name where names forbid", (left, right) => {
  expect(foldName(left)).toBe(foldName(right));
});

it("engine R-AUTH-5: different names stay different, and folding twice changes nothing", () => {
  expect(foldName("ann")).not.toBe(foldName("anna"));
  expect(foldName(foldName("Straße"))).toBe(foldName("Straße"));
});

it("engine R-AUTH-6: a service account is known by its name", () => {
  expect(isMachineName("service-account-deploy")).toBe(true);
  expect(isMachineName("ann")).toBe(false);
});
