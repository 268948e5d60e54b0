import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sampleHash, sampleId } from "../../test/interop/sample-ledger.ts";
import type { JsonObject, JsonValue } from "./canonical-json.ts";
import { compileSchema } from "./kind-schema.ts";
import type { KindSchema, MemberSchema } from "./kind-schema.ts";
import { checkEntryData, isLedgerKind, KIND_SCHEMAS, LEDGER_KINDS } from "./kinds.ts";
import { LedgerBug } from "./ledger-bug.ts";
import { MEMBER_FORMS } from "./member-form.ts";

const GOLDEN = new URL("../../test/golden/ledger-kinds.txt", import.meta.url);

/** Marked personal values of every sort that R-PRIV-1 keeps out of the entry bytes. */
const PERSONAL: readonly string[] = [
  'Bø "B" Öz',
  "Grace Hopper",
  "bo@example.com",
  "Reviewed diff, LGTM",
  "2001:db8::7334/64",
  "Mozilla/5.0 (X11; Linux x86_64)",
  "+46 70 123 45 67",
  "ssh-ed25519 AAAA bo@laptop",
  "https://example.com/?user=bo",
];

function describeSchema(schema: MemberSchema): string {
  if (typeof schema === "string") return schema;
  if ("list" in schema) return `[${describeSchema(schema.list)}]`;
  return `{${describeMembers(schema.members)}}${schema.orNull === true ? "|null" : ""}`;
}

function describeMembers(schema: KindSchema): string {
  return Object.entries(schema)
    .map(([name, member]) => `${name}:${describeSchema(member)}`)
    .sort()
    .join(" ");
}

function goldenText(): string {
  const lines = [...KIND_SCHEMAS].map(([kind, schema]) => `${kind} ${describeMembers(schema)}\n`);
  return lines.join("");
}

/** A value that fits the schema, with every optional member present. */
function sampleValue(schema: MemberSchema): JsonValue {
  if (typeof schema === "string") return scalarSample(schema.replace(/\|null$/, ""));
  return "list" in schema ? [sampleValue(schema.list)] : sampleData(schema.members);
}

function sampleData(schema: KindSchema): JsonObject {
  const members = Object.entries(schema).map(
    ([name, member]) => [name.replace(/\?$/, ""), sampleValue(member)] as const,
  );
  return Object.fromEntries(members);
}

const SCALARS: Readonly<Record<string, JsonValue>> = {
  ...Object.fromEntries(["org", "task", "grant"].map((name) => [name, sampleId(name, 1)])),
  request: sampleId("req", 1),
  person: sampleId("usr", 1),
  machine: sampleId("mch", 1),
  party: sampleId("mch", 2),
  actor: "sys_engine",
  credential: sampleId("crt", 1),
  session: sampleId("ses", 1),
  token: sampleId("tok", 1),
  factor: sampleId("fac", 1),
  id: sampleId("seat", 1),
  hash: sampleHash("a"),
  digest: `sha256:${sampleHash("b")}`,
  commitment: `c1:${sampleHash("c")}`,
  base64: "oCxWcomMmKkku9KqsQsp9aqnj4iVbjgupsFOCMe1/X0=",
  base64url: "SSEj_wPf656Q6Jc4eyoTx1-2_X6n5b9uPo4DdPFIhJc",
  uuid: "01234567-89ab-cdef-0123-456789abcdef",
  vkey: "approvals.example.com/v1/ledger+aae45eb8+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
  origin: "approvals.example.com/v1/ledger",
  code: "quorum_unreachable",
  action: "convox:release:promote",
  permission: "convox:*:read",
  key: "deploy.production",
  statementType: "countersign/decision",
  route: "GET /v1/requests/{id}",
  version: "1.4.0-rc.1",
  integer: -7,
  count: 0,
  ordinal: 1,
  time: "2026-11-20T09:00:00.000Z",
  boolean: true,
};

function scalarSample(form: string): JsonValue {
  const value = SCALARS[form];
  if (value === undefined) throw new Error(`no sample for ${form}`);
  return value;
}

/** Every place in `value` where a scalar stands, each time with `replacement` in it. */
function replacements(value: JsonValue, replacement: JsonValue): JsonValue[] {
  if (typeof value !== "object" || value === null) return [replacement];
  if (isList(value)) {
    return value.flatMap((item, index) => replacements(item, replacement).map((changed) => value.with(index, changed)));
  }
  return Object.entries(value).flatMap(([name, member]) =>
    replacements(member, replacement).map((changed) => ({ ...value, [name]: changed })),
  );
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function misnamed(schema: unknown): schema is KindSchema {
  return schema !== null;
}

describe("kinds", () => {
  it("ledger R-KIND-1: the list of kinds and members is the golden one", () => {
    if (process.env["GOLDEN"] === "update") writeFileSync(GOLDEN, goldenText());
    expect(existsSync(GOLDEN)).toBe(true);
    expect(goldenText()).toBe(readFileSync(GOLDEN, "utf8"));
  });

  it("ledger R-KIND-1: every kind accepts its data in full and refuses it with any one member too many", () => {
    expect(LEDGER_KINDS).toHaveLength(KIND_SCHEMAS.size);
    for (const [kind, schema] of KIND_SCHEMAS) {
      const data = sampleData(schema);
      expect(checkEntryData(kind, data), kind).toBeNull();
      expect(checkEntryData(kind, { ...data, comment: "x" }), kind).toBe('data has an unknown member "comment"');
    }
  });

  it("ledger R-LED-2: of every kind, each member not marked ? must be present and each marked one may be absent", () => {
    for (const [kind, schema] of KIND_SCHEMAS) {
      for (const name of Object.keys(schema)) {
        const member = name.replace(/\?$/, "");
        const others = Object.entries(sampleData(schema)).filter(([other]) => other !== member);
        const rest = Object.fromEntries(others);
        expect(checkEntryData(kind, rest), `${kind} without ${member}`).toBe(
          name.endsWith("?") ? null : `data.${member} is missing`,
        );
      }
    }
  });

  it("ledger R-LED-2: null stands only where the schema says that it may", () => {
    for (const [kind, schema] of KIND_SCHEMAS) {
      for (const [name, member] of Object.entries(schema)) {
        const isNullable = typeof member === "string" ? member.endsWith("|null") : "orNull" in member;
        const data = { ...sampleData(schema), [name.replace(/\?$/, "")]: null };
        expect(checkEntryData(kind, data) === null, `${kind} with ${name} null`).toBe(isNullable);
      }
    }
  });

  it("ledger R-PRIV-1: no kind has a place, however deep, where a name, an address or a sentence would fit", () => {
    for (const [kind, schema] of KIND_SCHEMAS) {
      for (const personal of PERSONAL) {
        for (const data of replacements(sampleData(schema), personal)) {
          expect(checkEntryData(kind, data), `${kind} with ${personal}`).not.toBeNull();
        }
      }
    }
  });

  it("ledger R-LED-2: no kind has a place for a fraction, a number beyond 2^53 or a negative zero", () => {
    for (const [kind, schema] of KIND_SCHEMAS) {
      for (const number of [0.5, 2 ** 53, -(2 ** 53), -0]) {
        for (const data of replacements(sampleData(schema), number)) {
          expect(checkEntryData(kind, data), `${kind} with ${number}`).not.toBeNull();
        }
      }
    }
  });

  it("ledger R-KIND-1: an unknown kind has no data that would do", () => {
    expect(checkEntryData("request.imagined", {})).toBe('there is no kind called "request.imagined"');
    for (const kind of ["", "toString", "__proto__", "constructor"]) {
      expect(isLedgerKind(kind)).toBe(false);
      expect(checkEntryData(kind, {})).not.toBeNull();
    }
  });

  it("ledger R-KIND-1: the kinds of the certificate gate that were settled later are there", () => {
    for (const kind of ["certificate.issuance_started", "certificate.issuance_failed", "crl.issued"]) {
      expect(isLedgerKind(kind)).toBe(true);
    }
  });

  it("ledger R-LED-2: what is wrong is named by its path", () => {
    const resolved = { stage: 1, tasks: [{ task: "x", person: null, seat: null, kind: "approver" }], excluded: [] };
    expect(checkEntryData("request.resolved", resolved)).toMatch(/^data\.tasks\[0\]\.task must be task_… with 32/);
    expect(checkEntryData("request.resolved", { ...resolved, tasks: {} })).toBe("data.tasks must be a list");
    expect(checkEntryData("request.resolved", { ...resolved, tasks: [1] })).toBe("data.tasks[0] must be an object");
    expect(checkEntryData("grant.expired", [])).toBe("data must be an object");
    expect(checkEntryData("grant.expired", undefined)).toBe("data must be an object");
  });

  it("ledger R-LED-2: a list has a bound", () => {
    const check = compileSchema({ people: { list: "person" } });
    const people = (count: number): string[] => Array.from({ length: count }, (_, index) => sampleId("usr", index));
    expect(check({ people: people(2_000) }, "data")).toBeNull();
    expect(check({ people: people(2_001) }, "data")).toBe("data.people has more than 2000 items");
  });

  it("ledger R-KIND-1: a schema that names no form stops the start", () => {
    const schema: unknown = { member: "anything" };
    expect(() => (misnamed(schema) ? compileSchema(schema) : null)).toThrow(LedgerBug);
  });

  it("ledger R-LED-1: `at` and every other time is a day that exists, in UTC, to the millisecond", () => {
    const good = ["2026-11-20T23:59:59.999Z", "2024-02-29T00:00:00.000Z", "2000-02-29T00:00:00.000Z"];
    for (const time of [...good, "2026-04-30T00:00:00.000Z", "2026-12-31T00:00:00.000Z"]) {
      expect(MEMBER_FORMS.time.is(time), time).toBe(true);
    }
    const days = ["2026-02-29", "1900-02-29", "2024-02-30", "2026-04-31", "2026-13-01", "2026-00-01", "2026-01-00"];
    const forms = [
      "2026-11-20T24:00:00.000Z",
      "2026-11-20T09:60:00.000Z",
      "2026-11-20T09:00:60.000Z",
      "2026-11-20T09:00:00Z",
    ];
    const zones = ["2026-11-20T09:00:00.000+00:00", "2026-11-20 09:00:00.000Z", "2026-11-20T09:00:00.0000Z", 1, null];
    for (const time of [...days.map((day) => `${day}T00:00:00.000Z`), "2026-01-32T00:00:00.000Z", ...forms, ...zones]) {
      expect(MEMBER_FORMS.time.is(time), String(time)).toBe(false);
    }
  });
});
