/** `countersign user` and `countersign org` against a server, as a terminal that is signed in runs them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addPeopleCommands } from "../../src/cli/people-commands.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { must, signedInAs } from "../support/signed-in.ts";
import { TerminalScene } from "../support/terminal-scene.ts";

const USE_MS = 120_000;

describe("the command line for people", () => {
  let scene: TerminalScene;
  beforeAll(async () => {
    scene = await TerminalScene.open(addPeopleCommands);
  }, USE_MS);
  afterAll(() => scene.close(), USE_MS);

  it(
    "identity section 6: somebody is invited, found, given roles, locked and suspended from a terminal",
    async () => {
      const invited = await scene.prove(
        "user",
        "invite",
        "nina@example.com",
        "--login",
        "nina",
        "--role",
        "viewer",
        "ops",
      );
      expect(invited.status).toBe(0);
      // The link alone is what a program that reads along gets.
      expect(invited.out).toMatch(/^\S+\/app\/invitation#[A-Za-z0-9_-]{43}$/);
      expect((await scene.run("user", "list", "--status", "invited")).out).toMatch(
        /nina +\S* *nina@example\.com +invited +ops,viewer/,
      );
      const roles = await scene.prove("user", "roles", "nina", "deployer", "--json");
      expect(JSON.parse(roles.out)).toEqual([{ role: "deployer", source: "admin" }]);
      expect((await scene.run("user", "roles", "nina")).out).toContain("deployer");
      expect((await scene.prove("user", "suspend", "nina@example.com", "--reason", "never came")).out).toContain(
        "is suspended",
      );
      expect(JSON.parse((await scene.run("user", "show", "nina", "--json")).out)).toMatchObject({
        status: "suspended",
      });
      expect((await scene.prove("user", "reactivate", "nina", "--reason", "a mistake")).status).toBe(0);
    },
    USE_MS,
  );

  it(
    "identity section 1: locking from a terminal ends the sessions, and every refusal says why and answers 1",
    async () => {
      const held = await signedInAs(scene.at, scene.admin, { login: "held", roles: ["viewer"] });
      const unproven = await scene.run("user", "lock", "held", "--reason", "lost laptop");
      expect([unproven.status, unproven.out]).toEqual([1, ""]);
      expect(unproven.text).toContain("mfa_required");
      expect((await scene.prove("user", "lock", "held", "--reason", "lost laptop")).status).toBe(0);
      expect((await held.get("/me")).statusCode).toBe(401);
      const again = await scene.prove("user", "lock", "held", "--reason", "again");
      expect([again.status, again.text]).toEqual([1, expect.stringContaining("(wrong_state)")]);
      const nobody = await scene.run("user", "show", "nobody-at-all");
      expect([nobody.status, nobody.text]).toEqual([1, expect.stringContaining("(not_found)")]);
      expect((await scene.run("user", "lock", "held")).status).toBe(2);
      expect((await scene.prove("user", "unlock", "held", "--reason", "found it")).status).toBe(0);
      expect((await scene.prove("user", "recover", "held")).out).toMatch(/\/app\/recover#/);
    },
    USE_MS,
  );

  it(
    "identity section 7: organizations are listed, made and suspended by whoever runs the platform",
    async () => {
      expect((await scene.run("org", "list")).out).toContain("active");
      const made = await scene.prove("org", "create", "M\u00fcller & Co.", "--json");
      expect(objectIn(made.out)).toMatchObject({ slug: "muller-co", status: "active" });
    },
    USE_MS,
  );

  it(
    "identity R-ORG-2: an invitation of another organization is accepted from a terminal, as who one is",
    async () => {
      must(await scene.admin.post("/orgs", { name: "Joined", slug: "joined" }, { fresh: true }), 201);
      const there = { headers: { "x-countersign-org": "joined" } };
      const admin = await signedInAs(scene.at, scene.admin, {
        login: "jo",
        roles: ["admin", "org_admin"],
        organization: "joined",
      });
      const body = { email: scene.admin.me["email"], roles: ["viewer"] };
      const invited = must(await admin.post("/people", body, { fresh: true }), 201);
      const joined = await scene.prove("org", "join", textAt(invited, "link"));
      expect([joined.status, joined.text.trimEnd()]).toEqual([0, "You belong to Joined now."]);
      expect(must(await scene.admin.get("/me", there), 200)["roles"]).toContain("viewer");
    },
    USE_MS,
  );
});
