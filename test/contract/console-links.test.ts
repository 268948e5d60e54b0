/** Every address of the console that the product prints, mails or redirects to is a page that the console has. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requestPage } from "../../src/app/request-page.ts";
import { approvalPage } from "../../src/cli/deploy/approval-object.ts";

const ROUTES = readFileSync("ui/src/routes.tsx", "utf8");
const pages = [...ROUTES.matchAll(/\bpath: "([^"]+)"/g)].map(([, path = ""]) => path);
const older = [...ROUTES.matchAll(/\bfrom: "([^"]+)"/g)].map(([, path = ""]) => path);
const moved = "/deploy-approval-requests/$id";

function fits(path: string, route: string): boolean {
  const [parts, names] = [path.split("/"), route.split("/")];
  return parts.length === names.length && names.every((name, at) => name === parts[at] || name.startsWith("$"));
}

/** The route of an address below `/app`, as the console would find it: a name before a parameter. */
function routeOf(path: string): string | undefined {
  const found = [...pages, ...older].filter((route) => fits(path, route));
  return found.find((route) => route === path) ?? found[0];
}

interface Printed {
  readonly file: string;
  readonly path: string;
}

/** Literals that begin with `/app/`, or say it after the server's address; what is filled in reads `_`. */
function printedBy(file: string): readonly Printed[] {
  const source = readFileSync(file, "utf8").replaceAll(/\$\{[^{}`]*\}/g, "_");
  return [...source.matchAll(/["'`_](\/app\/[^"'`?#$\s]*)/g)].map(([, path = ""]) => ({
    file,
    path: path.slice("/app".length),
  }));
}

/** Below `src/adapters` stand the addresses of other servers; a `*` is the server's own route, and a lone `_` is chosen elsewhere. */
function isLink({ file, path }: Printed): boolean {
  return !file.startsWith("src/adapters/") && !path.includes("*") && path !== "/_";
}

const files = ["src", "demo"].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:ts|mjs)$/.test(name) && !name.endsWith(".test.ts"))
    .map((name) => join(folder, name)),
);
const links = files.flatMap(printedBy).filter(isLink);

describe("links into the console", () => {
  it("console section 2: every one that stands in the program is a page of the console", () => {
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter(({ path }) => routeOf(path) === undefined)).toEqual([]);
  });

  it("deploy R-CLI-7: server and command line name the page of a request itself, not an older address of it", () => {
    const id = "6f1c3a52-9c1e-4f0b-8a51-0d5e7d6f2a11";
    const url = "https://gate.example.com";
    const below = (link: string): string => link.slice(`${url}/app`.length);
    expect(routeOf(below(requestPage(url, { gate: "deploy", id })))).toBe("/deploy/requests/$id");
    expect(routeOf(below(requestPage(url, { gate: "generic", id })))).toBe("/requests/$id");
    expect(routeOf(below(approvalPage({ url: `${url}/racks/production` }, { id })))).toBe("/deploy/requests/$id");
    expect(pages).toContain(moved);
    const detours = links.filter(({ path }) => path !== "/" && (older.includes(path) || fits(path, moved)));
    expect(detours).toEqual([]);
  });

  it("deploy R-CLI-7: the command line prints the page that the server names, and opens nothing but a web address", () => {
    const gateway = { url: "https://gate.internal" };
    const page = "https://gate.example.com/app/deploy/requests/1";
    expect(approvalPage(gateway, { id: "1", json: { page_url: page } })).toBe(page);
    for (const bad of ["file:///etc/passwd", "javascript:alert(1)", "https://a b", "https://a\u001b[2J", 7]) {
      const told = approvalPage(gateway, { id: "1", json: { page_url: bad } });
      expect(told).toBe("https://gate.internal/app/deploy/requests/1");
    }
  });
});
