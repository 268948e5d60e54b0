import { describe, expect, it } from "vitest";
import { loadConfig } from "./config.ts";
import { assertMayStart, assertSameMode, openDoors, originOf } from "./start-rules.ts";

const LOCAL = ["127.0.0.1", "127.9.9.9", "::1", "localhost"] as const;

function start(development: boolean, environment: Readonly<Record<string, string>> = {}): () => void {
  return () => {
    assertMayStart(loadConfig(environment).config, development, environment);
  };
}

describe("identity R-DEV-2: development mode stays on this machine", () => {
  it.each(LOCAL)("it starts on %s", (host) => {
    expect(start(true, { COUNTERSIGN_HOST: host })).not.toThrow();
  });

  it.each([
    [{ COUNTERSIGN_HOST: "0.0.0.0" }, "0.0.0.0"],
    [{ COUNTERSIGN_HOST: "::" }, "::"],
    [{ COUNTERSIGN_HOST: "192.168.1.4" }, "192.168.1.4"],
    [{ COUNTERSIGN_HOST: "127.0.0.1.example.com" }, "127.0.0.1.example.com"],
    [{ NODE_ENV: "production" }, "NODE_ENV"],
    [{ COUNTERSIGN_PUBLIC_URL: "https://approvals.example.com" }, "approvals.example.com"],
    [{ DATABASE_URL: "postgres://u:p@db.example.com:5432/d" }, "db.example.com"],
    [{ DATABASE_URL: "postgres://u@localhost/d?host=db.example.com" }, "db.example.com"],
  ])("with %j it refuses and names %s", (environment, cause) => {
    expect(start(true, environment)).toThrow(cause);
    expect(start(true, environment)).toThrow(expect.objectContaining({ code: "dev_mode_refused" }));
  });

  it.each([
    "postgres://u@127.0.0.1:5432/d",
    "postgres://u@[::1]:5432/d",
    "postgresql+asyncpg://u:p@localhost/d",
    "postgres://u@/d?host=%2Ftmp%2Fsocket",
  ])("it uses the database %s of this machine", (DATABASE_URL) => {
    expect(start(true, { DATABASE_URL })).not.toThrow();
  });

  it("in a container it may listen to the container's address, and nothing else of the walls falls", () => {
    const container = { COUNTERSIGN_DEV_BIND: "container", COUNTERSIGN_HOST: "0.0.0.0" };
    expect(start(true, container)).not.toThrow();
    expect(start(true, { ...container, NODE_ENV: "production" })).toThrow("NODE_ENV");
    const elsewhere = { ...container, DATABASE_URL: "postgres://app@db.example.com/app" };
    expect(start(true, elsewhere)).toThrow("its database is on db.example.com");
  });
});

describe("identity R-SESS-1: without development mode", () => {
  it("no issuer is needed: the first administrator comes by the setup link", () => {
    expect(start(false)).not.toThrow();
    expect(start(false, { AWE__KEYCLOAK__ISSUER: "https://id.example.com" })).not.toThrow();
  });

  it("sessions are never sent in the clear, but on this machine", () => {
    expect(start(false, { COUNTERSIGN_PUBLIC_URL: "http://approvals.example.com" })).toThrow("https");
    for (const url of ["https://approvals.example.com", "http://localhost:8000", "http://127.0.0.1:8000"]) {
      expect(start(false, { COUNTERSIGN_PUBLIC_URL: url })).not.toThrow();
    }
  });
});

describe("engine R-AUTH-21 and R-AUTH-31, identity R-IDP-12: what stands open is said at the start", () => {
  it.each<[Readonly<Record<string, string>>, string]>([
    [{ AWE__ACCESS__READ_SCOPE: "authenticated", AWE__KEYCLOAK__AUDIENCE: "a" }, "access.read_scope"],
    [{ AWE__KEYCLOAK__ISSUER: "https://id.example.com" }, "keycloak.audience"],
    [{ AWE__KEYCLOAK__AUDIENCE: "a", AWE__KEYCLOAK__VERIFY_SSL: "false" }, "keycloak.verify_ssl"],
  ])("%j: %s", (environment, setting) => {
    const doors = openDoors(loadConfig(environment).config, false);
    expect(doors).toHaveLength(1);
    expect(doors[0]).toContain(setting);
  });

  it("nothing is said where nothing stands open", () => {
    expect(openDoors(loadConfig({ AWE__KEYCLOAK__AUDIENCE: "a" }).config, false)).toEqual([]);
    expect(openDoors(loadConfig({}).config, true)).toEqual([]);
  });
});

describe("identity R-DEV-3: a ledger keeps its mode", () => {
  it("is named after its address, or at random", () => {
    expect(originOf("", true, "ab12")).toBe("localhost/dev/ab12");
    expect(originOf("", false, "ab12")).toBe("localhost/ab12");
    expect(originOf("https://approvals.example.com/", false, "ab12")).toBe("approvals.example.com/v1/ledger");
    expect(originOf("https://example.com:8443/approvals", false, "x")).toBe("example.com:8443/approvals/v1/ledger");
  });

  it("is refused by the other mode", () => {
    const open = (origin: string, development: boolean) => () => {
      assertSameMode(origin, development);
    };
    expect(open("localhost/dev/1", true)).not.toThrow();
    expect(open("localhost/1", false)).not.toThrow();
    expect(open("localhost/dev/1", false)).toThrow(expect.objectContaining({ code: "ledger_is_dev" }));
    expect(open("localhost/1", true)).toThrow(expect.objectContaining({ code: "dev_mode_refused" }));
  });
});
