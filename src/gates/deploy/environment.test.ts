import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  changeEnvironment,
  environmentBytesMax,
  environmentMoved,
  isEnvironment,
  isEnvironmentChange,
  isSecret,
  parseEnvironment,
  readEnvironment,
  requestedEnvironment,
  secretMask,
  shownEnvironment,
  valueBytesMax,
  writeEnvironment,
  type Environment,
  type EnvironmentChange,
  type EnvironmentWriter,
} from "./environment.ts";

const rules = { secretNames: ["LEGACY_PIN"], protectedNames: ["REGION"] };
const deployer: EnvironmentWriter = { ...rules, maySetSecrets: false };
const admin: EnvironmentWriter = { ...rules, maySetSecrets: true };

function parse(text: string): Environment {
  const environment = parseEnvironment(text);
  if (!isEnvironment(environment)) throw new Error(environment.message);
  return environment;
}

function faultOf(text: string): string {
  const environment = parseEnvironment(text);
  return isEnvironment(environment) ? "none" : environment.message;
}

function change(base: string, text: string, writer: EnvironmentWriter): EnvironmentChange {
  const result = changeEnvironment(parse(base), parse(text), writer);
  if (!isEnvironmentChange(result)) throw new Error(result.message);
  return result;
}

function refusalOf(base: string, text: string, writer: EnvironmentWriter): string {
  const result = changeEnvironment(parse(base), parse(text), writer);
  return isEnvironmentChange(result) ? "none" : `${result.status} ${result.code}: ${result.message}`;
}

describe("what is secret", () => {
  it.each([
    ...["DB_PASSWORD", "db_password", "PASSWD", "MY_SECRET_X", "GITHUB_TOKEN", "TOKENS", "GCP_CREDENTIALS"],
    ...["PRIVATE_PEM", "API_KEY", "AWS_ACCESS_KEY_ID", "SENTRY_DSN", "LEGACY_PIN", "REGION", "xPrivatex"],
  ])("deploy R-ENV-1: %s is, by its name", (name) => {
    expect(isSecret(name, "value", rules)).toBe(true);
  });

  it.each(["PORT", "KEYBOARD", "KEY", "DSN", "MONKEY", "API_KEYS", "KEY_IDS", "legacy_pin", "_KEYS", "PUBLIC_URL"])(
    "deploy R-ENV-1: %s is not",
    (name) => {
      expect(isSecret(name, "https://host:8080/path", rules)).toBe(false);
    },
  );

  it.each([
    ...["postgres://user:pass@host/db", "redis://:pw@host:6379", "amqp://u:p%40w@h", "https://u:p/w@host"],
    ...["redis://a:1,redis://:pw@b:1", "POSTGRES://U:P@H", "see mongodb+srv://u:p@h/x"],
  ])("deploy R-ENV-1: %s is, by its value", (value) => {
    expect(isSecret("URL", value, { secretNames: [], protectedNames: [] })).toBe(true);
  });

  it.each(["postgres://user@host/db", "https://host", "user:pass@host", "a@b:c", "mysql://u@tcp(h:3306)/d", ""])(
    "deploy R-ENV-1: %s is not",
    (value) => {
      expect(isSecret("URL", value, rules)).toBe(false);
    },
  );
});

describe("what is shown", () => {
  const text = "PORT=80\nDB_PASSWORD=hunter2\nURL=postgres://u:p@h/d\nEMPTY=\nA=b=c";

  it("deploy R-ENV-2: per key with env:read, nothing without, everything with secret:read", () => {
    expect(shownEnvironment(text, "masked", rules)).toBe(
      `PORT=80\nDB_PASSWORD=${secretMask}\nURL=${secretMask}\nEMPTY=\nA=b=c`,
    );
    expect(shownEnvironment(text, "nothing", rules)).toBe("");
    expect(shownEnvironment(text, "plain", rules)).toBe(text);
    expect(secretMask).toBe("*".repeat(20));
    expect(shownEnvironment("", "masked", rules)).toBe("");
  });

  it("deploy R-ENV-2: the rack's own text is read as the rack reads it", () => {
    expect([...readEnvironment("A=1\nnothing\n=x\n B =2\r\nA=3")]).toEqual([
      ["A", "3"],
      ["B", "2"],
    ]);
  });

  it("deploy R-ENV-2: no line of a secret that goes over several lines is shown", () => {
    const pem = "SIGNING_PRIVATE=-----BEGIN\nMIIEvQ\nAAAA==\n-----END\n\nPORT=80";
    const shown = shownEnvironment(pem, "masked", rules);
    expect(shown).not.toContain("MIIEvQ");
    expect(shown).toContain("PORT=80");
  });

  it("deploy R-ENV-2: no secret leaves, whatever else is in the environment", () => {
    const name = fc.constantFrom("PORT", "DB_PASSWORD", "API_KEY", "URL", "X");
    const value = fc.constantFrom("hunter2", "postgres://u:hunter2@h", "", "a=b", "8080");
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
        const lines = pairs.map(([one, text_]) => `${one}=${text_}`).join("\n");
        const secrets = pairs.filter(([one, text_]) => text_.includes("hunter2") && isSecret(one, text_, rules));
        const shown = readEnvironment(shownEnvironment(lines, "masked", rules));
        for (const [one] of secrets) expect(shown.get(one)).not.toContain("postgres://u:hunter2");
        expect([...shown.keys()]).toEqual([...readEnvironment(lines).keys()]);
      }),
    );
  });
});

describe("what may be sent", () => {
  it("deploy R-ENV-5: lines of KEY=VALUE, with the line ends of any system", () => {
    expect([...parse("A=1\r\n\r\nB=x=y\n  \nC=")]).toEqual([
      ["A", "1"],
      ["B", "x=y"],
      ["C", ""],
    ]);
    expect([...parse("")]).toEqual([]);
    expect(writeEnvironment(parse("A=1\nB= 2 "))).toBe("A=1\nB= 2 ");
  });

  it.each([
    "1A=x",
    "A-B=x",
    "=x",
    "A B=x",
    "É=x",
    `${"A".repeat(256)}=x`,
    "just text",
    "A=1\nA=2",
    "A=a\0b",
    "A=b\r\r",
  ])("deploy R-ENV-5: %j is refused", (text) => {
    expect(faultOf(text)).toMatch(/^environment is not acceptable: /);
  });

  it("deploy R-ENV-5: limits hold at their edges", () => {
    expect(faultOf(`${"A".repeat(255)}=x`)).toBe("none");
    expect(faultOf(`_=${"a".repeat(valueBytesMax)}`)).toBe("none");
    expect(faultOf(`_=${"a".repeat(valueBytesMax + 1)}`)).toContain("64 KiB");
    expect(faultOf(`_=${"é".repeat(valueBytesMax / 2)}`)).toBe("none");
    expect(faultOf(`_=${"é".repeat(valueBytesMax / 2 + 1)}`)).toContain("64 KiB");
    const line = "a".repeat(valueBytesMax - 6);
    const whole = Array.from({ length: 16 }, (_, index) => `K${String(index).padStart(2, "0")}=${line}`).join("\n");
    const room = environmentBytesMax - whole.length;
    expect(faultOf(`${whole}\nL=${"a".repeat(room - 3)}`)).toBe("none");
    expect(faultOf(`${whole}\nL=${"a".repeat(room - 2)}`)).toContain("1 MiB");
  });

  it("deploy R-ENV-5: what is written reads the same, here and as the rack reads it", () => {
    const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,5}$/);
    const value = fc.array(fc.constantFrom(...Array.from("a= \té#\"'$"))).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one }), (pairs) => {
        const environment = new Map(pairs);
        expect([...parse(writeEnvironment(environment))]).toEqual(pairs);
        expect([...readEnvironment(writeEnvironment(environment))]).toEqual(pairs);
      }),
    );
  });
});

describe("what may be changed", () => {
  const base = "PORT=80\nREGION=eu\nDB_PASSWORD=hunter2\nOLD=1";

  it("deploy R-ENV-3: a masked value keeps the one that is there", () => {
    const { environment, differences } = change(
      base,
      `PORT=81\nREGION=${secretMask}\nDB_PASSWORD=${secretMask}\nOLD=1`,
      deployer,
    );
    expect(environment.get("DB_PASSWORD")).toBe("hunter2");
    expect(environment.get("REGION")).toBe("eu");
    expect(differences).toEqual([{ action: "env.set", name: "PORT", old: "80", new: "81" }]);
  });

  it("deploy R-ENV-3: keys that are missing from the new text are deletions", () => {
    const { environment, differences } = change(base, `PORT=80\nREGION=eu\nDB_PASSWORD=${secretMask}`, deployer);
    expect([...environment.keys()]).toEqual(["PORT", "REGION", "DB_PASSWORD"]);
    expect(differences).toEqual([{ action: "env.unset", name: "OLD", old: "1", new: null }]);
  });

  it.each([
    [
      `${base}\nNEW_TOKEN=${secretMask}`,
      admin,
      "400 env_masked: Masked secret value submitted without an existing secret.",
    ],
    [base.replace("hunter2", "other"), deployer, "403 permission_denied: You don't have permission to modify secrets."],
    [
      base.replace("DB_PASSWORD=hunter2\n", ""),
      deployer,
      "403 permission_denied: You don't have permission to modify secrets.",
    ],
    [`${base}\nAPI_KEY=x`, deployer, "403 permission_denied: You don't have permission to modify secrets."],
    [
      base.replace("OLD=1", "OLD=redis://:p@h"),
      deployer,
      "403 permission_denied: You don't have permission to modify secrets.",
    ],
    [
      base.replace("REGION=eu", "REGION=us"),
      admin,
      "403 env_protected: This environment variable is protected and cannot be changed.",
    ],
    [
      base.replace("REGION=eu\n", ""),
      admin,
      "403 env_protected: This environment variable is protected and cannot be changed.",
    ],
    [base.replace("hunter2", "other"), admin, "none"],
    [base, deployer, "none"],
  ])("deploy R-ENV-3: from the base to %j: %#", (text, writer, expected) => {
    expect(refusalOf(base, text, writer)).toBe(expected);
  });

  it("deploy R-ENV-3: what was a secret stays one while it is replaced by something harmless", () => {
    const secret = "CACHE=redis://:p@h";
    expect(refusalOf(secret, "CACHE=none", deployer)).toContain("permission_denied");
    expect(change(secret, "CACHE=none", admin).differences).toEqual([{ action: "secret.set", name: "CACHE" }]);
  });

  it("deploy R-ENV-4: every difference is named once, and never with the value of a secret", () => {
    const { differences } = change(
      base,
      "PORT=80\nREGION=eu\nOLD=redis://:hunter3@h\nNEW=1\nNEWER=2\nAPI_KEY=hunter4",
      admin,
    );
    expect(differences).toEqual([
      { action: "secret.set", name: "API_KEY" },
      { action: "secret.unset", name: "DB_PASSWORD" },
      { action: "env.set", name: "NEW", old: null, new: "1" },
      { action: "env.set", name: "NEWER", old: null, new: "2" },
      { action: "secret.set", name: "OLD" },
    ]);
    expect(JSON.stringify(differences)).not.toContain("hunter");
  });

  it("deploy R-ENV-4: nothing changes where nothing differs, and differences rebuild the new from the old", () => {
    const name = fc.constantFrom("A", "B", "DB_PASSWORD", "C");
    const value = fc.constantFrom("1", "2", "");
    const environments = fc.array(fc.tuple(name, value)).map((pairs) => new Map(pairs));
    fc.assert(
      fc.property(environments, environments, (from, to) => {
        const result = changeEnvironment(from, to, { secretNames: [], protectedNames: [], maySetSecrets: true });
        const differences = isEnvironmentChange(result) ? result.differences : [];
        const all = new Set([...from.keys(), ...to.keys()]);
        expect(differences.map((one) => one.name)).toEqual(
          [...all].filter((one) => from.get(one) !== to.get(one)).sort(),
        );
      }),
    );
  });

  it("deploy R-ENV-3: a partial change leaves the rest as it is", () => {
    const from = parse(base);
    const to = requestedEnvironment(from, { set: new Map([["PORT", "81"]]), remove: ["OLD", "MISSING"] });
    expect(isEnvironment(to) ? writeEnvironment(to) : "").toBe("PORT=81\nREGION=eu\nDB_PASSWORD=hunter2");
    const wrong = requestedEnvironment(from, { set: new Map([["1", "x"]]), remove: [] });
    expect(isEnvironment(wrong) ? "" : wrong.code).toBe("env_form");
    const injected = requestedEnvironment(from, { set: new Map([["PORT", "1\nREGION=us"]]), remove: [] });
    expect(isEnvironment(injected) ? "" : injected.code).toBe("env_form");
  });

  it("deploy R-ENV-5: what is kept of a base that is too large is refused with the rest", () => {
    const large = new Map([["OLD", "a".repeat(valueBytesMax + 1)]]);
    const result = changeEnvironment(large, new Map([["OLD", secretMask]]), admin);
    expect(isEnvironmentChange(result) ? "" : result.code).toBe("env_form");
  });

  it("deploy R-ENV-3: says that the environment has moved", () => {
    expect(environmentMoved()).toMatchObject({
      status: 409,
      code: "env_conflict",
      message: "environment changed meanwhile",
    });
  });
});
