/** The API description, its page, and the console's files. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { addressesOf, authorizationTable } from "../../src/http/authorization.ts";
import { expectGolden } from "../support/golden.ts";
import { bodyOf } from "../support/json-answer.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { asAdmin, openServer, type TestServer } from "../support/test-server.ts";

/** As much of a description as is looked at here. */
const descriptionSchema = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), z.object({ security: z.array(z.unknown()) }))),
});

let database: TestDatabase;
let at: TestServer;
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "countersign-console-"));
  await mkdir(join(directory, "ui", "assets"), { recursive: true });
  await writeFile(join(directory, "ui", "index.html"), "<!doctype html><title>console</title>");
  await writeFile(join(directory, "ui", "assets", "app-1a2b.js"), "export {};");
  await writeFile(join(directory, "secret.txt"), "secret");
  database = await createTestDatabase();
  at = await openServer(database.url, { server: { uiDirectory: join(directory, "ui") } });
});
afterAll(async () => {
  await at.close();
  await database.drop();
  await rm(directory, { recursive: true });
});

describe("the API description", () => {
  it("engine R-API-1: is test/golden/openapi.json (GOLDEN=update rewrites it)", async () => {
    const answer = await at.server.inject("/v1/openapi.json");
    expect(answer.statusCode).toBe(200);
    expectGolden("openapi.json", `${JSON.stringify(bodyOf(answer), null, 2)}\n`);
  });

  it("engine R-API-1: describes every route of its mount, and says which need a credential", async () => {
    for (const prefix of ["/v1/awe", "/v1"]) {
      const { openapi, paths } = descriptionSchema.parse(bodyOf(await at.server.inject(`${prefix}/openapi.json`)));
      expect(openapi).toBe("3.1.0");
      const undescribed = ["/openapi.json", "/docs", "/docs/:file"];
      for (const row of authorizationTable.filter(({ mount, url }) => mount !== "root" && !undescribed.includes(url))) {
        const address = `${prefix}${row.url}`;
        if (!addressesOf(row).includes(address)) continue;
        const operation = paths[address.replaceAll(/:(\w+)/g, "{$1}")]?.[row.method.toLowerCase()];
        const open = row.access === "public" || row.access === "development";
        expect({ address, security: operation?.security.length }).toEqual({ address, security: open ? 0 : 2 });
      }
    }
  });

  it("engine R-API-1: has a page that loads nothing from elsewhere and runs under the strict policy", async () => {
    for (const prefix of ["/v1/awe", "/v1"]) {
      const page = await at.server.inject(`${prefix}/docs`);
      expect(page.statusCode).toBe(200);
      expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
      expect(page.headers["content-security-policy"]).not.toContain("unsafe");
      expect(page.body).not.toMatch(/<script>|<style|\son\w+=|style=|https?:/);
      const files = [...page.body.matchAll(/(?:src|href)="docs\/([^"]+)"/g)].map((found) => found[1] ?? "");
      expect(files.length).toBeGreaterThan(3);
      for (const file of files)
        expect([file, (await at.server.inject(`${prefix}/docs/${file}`)).statusCode]).toEqual([file, 200]);
    }
  });

  it.each(["package.json", "..%2fpackage.json", "%2e%2e%2findex.js", "index.html", "x"])(
    "engine R-API-1: gives out no other file: %s",
    async (file) => {
      expect((await at.server.inject(`/v1/docs/${file}`)).statusCode).toBe(404);
    },
  );
});

describe("the console's files", () => {
  it("engine R-API-11: what changes is always asked for again, what carries its hash is kept", async () => {
    const page = await at.server.inject("/app");
    expect([page.statusCode, page.headers["content-type"], page.headers["cache-control"]]).toEqual([
      200,
      "text/html; charset=utf-8",
      "no-store",
    ]);
    const script = await at.server.inject("/app/assets/app-1a2b.js");
    expect([script.statusCode, script.headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
    expect(script.headers["x-content-type-options"]).toBe("nosniff");
  });

  it("engine R-API-13: an address that only the browser knows is answered with the console", async () => {
    for (const path of [
      "/app/",
      "/app/inbox",
      "/app/requests/0f8fad5b-d9cb-469f-a165-70867728950e",
      "/app/policies/a.b/1",
    ]) {
      expect([path, (await at.server.inject(path)).body]).toEqual([path, "<!doctype html><title>console</title>"]);
    }
    expect((await at.server.inject("/")).headers.location).toBe("/app");
  });

  it.each([
    "/app/assets/none.js",
    "/app/../secret.txt",
    "/app/%2e%2e/secret.txt",
    "/app/..%2fsecret.txt",
    "/app/assets/%2e%2e%2f%2e%2e%2fsecret.txt",
  ])("engine R-API-6: what is no file of the console is not there: %s", async (path) => {
    const answer = await at.server.inject(path);
    expect(answer.statusCode).toBe(404);
    expect(answer.body).not.toContain("secret\n");
  });

  it("engine R-API-11: answers of the API are never kept by a cache", async () => {
    for (const url of ["/v1/me", "/v1/awe/requests", "/v1/nothing", "/v1/openapi.json"]) {
      expect((await at.server.inject({ url, headers: asAdmin })).headers["cache-control"]).toBe("no-store");
    }
  });
});
