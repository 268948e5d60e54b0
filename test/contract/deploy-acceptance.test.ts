/** The list of docs/spec/deploy-acceptance.md names tests that exist, for every case. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../../src/main/package-root.ts";

const CASES = 80;

function textOf(file: string): string {
  return readFileSync(join(packageRoot(), file), "utf8");
}

it("deploy section 24: every case has a test, and every test that is named is there", () => {
  const list = textOf("docs/spec/deploy-acceptance.md");
  const cases = list.split(/^(?=\d+\. )/m).filter((part) => /^\d+\. /.test(part));
  expect(cases.map((part) => Number.parseInt(part, 10))).toEqual(Array.from({ length: CASES }, (_, at) => at + 1));
  const missing = cases.flatMap((part) => {
    const named = [...part.matchAll(/^ +- (?:“(.+)” in|all of) `([^`]+)`$/gm)];
    if (named.length === 0) return [part];
    return named.flatMap(([line, title = "", file = ""]) => {
      const isThere = existsSync(join(packageRoot(), file)) && textOf(file).includes(title.replaceAll("\\*", "*"));
      return isThere ? [] : [line];
    });
  });
  expect(missing).toEqual([]);
});
