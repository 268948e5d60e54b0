import fc from "fast-check";
import { describe, expect, it } from "vitest";
import ledger from "../../test/interop/ledger-v1.json" with { type: "json" };
import { sampleDraft, sampleHash, sampleId } from "../../test/interop/sample-ledger.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { JsonObject } from "./canonical-json.ts";
import { encodeEntry, ENTRY_BYTES_MAX, parseEntry } from "./entry.ts";
import type { EntryFields } from "./entry.ts";
import { LedgerBug } from "./ledger-bug.ts";

const entry: EntryFields = {
  v: 1,
  seq: 4,
  at: "2026-11-20T09:02:31.871Z",
  org: sampleId("org", 1),
  kind: "request.approved",
  actor: "sys_engine",
  credential: null,
  resource: { digest: `sha256:${sampleHash("payload")}`, gate: "deploy" },
  request: sampleId("req", 1),
  data: { decisions: 1, revision: 1, stages: 1 },
  prev: sampleHash("prev"),
};

/** The same entry of a kind without a schema, whose data may be anything that R-LED-2 allows. */
const opaque: EntryFields = { ...entry, kind: "future.thing", data: { any: "thing" } };

function findingOf(text: string): string | null {
  const parsed = parseEntry(text);
  return parsed.ok ? null : parsed.finding;
}

/** The canonical text of an entry with some members replaced by what may not stand there. */
function textWith(members: JsonObject, from: EntryFields = entry): string {
  const { resource, ...rest } = from;
  return canonicalJson({ ...rest, resource: resource === null ? null : { ...resource }, ...members });
}

function textWithout(member: string): string {
  const others = Object.entries({ ...entry, resource: null }).filter(([name]) => name !== member);
  return canonicalJson(Object.fromEntries(others));
}

function asFields(value: unknown): value is EntryFields {
  return value !== entry;
}

function encoded(value: unknown): string {
  return asFields(value) ? encodeEntry(value) : "";
}

/** Data whose entry is exactly `bytes` long. */
function filled(bytes: number, filler: string): EntryFields {
  const empty = encodeEntry({ ...opaque, data: { text: "" } }).length;
  const fillerBytes = Buffer.byteLength(filler);
  const count = Math.floor((bytes - empty) / fillerBytes);
  const rest = "x".repeat(bytes - empty - count * fillerBytes);
  return { ...opaque, data: { text: filler.repeat(count) + rest } };
}

describe("entry", () => {
  it("ledger R-LED-3, R-LED-4: what is written is read back, and is RFC 8785", () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), fc.nat(), (number, seq) => {
        const fields: EntryFields = { v: 1, seq, at: entry.at, prev: entry.prev, ...sampleDraft(number) };
        const text = encodeEntry(fields);
        expect(parseEntry(text)).toEqual({ ok: true, entry: fields });
        expect(text).toBe(textWith({}, fields));
      }),
    );
  });

  it("ledger R-LED-1: the published entries are entries", () => {
    for (const { text } of ledger.entries) expect(findingOf(text)).toBeNull();
  });

  it("ledger R-LED-1: each of the eleven members must be present, and no other", () => {
    for (const member of Object.keys(entry))
      expect(findingOf(textWithout(member)), member).toBe(`${member} is missing`);
    expect(findingOf(textWith({ note: "x" }))).toBe("the entry has a member beyond the eleven");
    expect(findingOf(textWith({ __proto__: null, extra: null }))).toBe("the entry has a member beyond the eleven");
  });

  it.each<[string, JsonObject]>([
    ["v", { v: 2 }],
    ["v", { v: "1" }],
    ["seq", { seq: -1 }],
    ["seq", { seq: 0.5 }],
    ["seq", { seq: 2 ** 53 }],
    ["seq", { seq: "4" }],
    ["seq", { seq: null }],
    ["at", { at: "2026-11-20T09:02:31Z" }],
    ["at", { at: "2026-02-30T09:02:31.871Z" }],
    ["at", { at: 1_795_165_800 }],
    ["org", { org: sampleId("org", 1).toUpperCase() }],
    ["org", { org: `${sampleId("org", 1)}0` }],
    ["org", { org: sampleId("req", 1) }],
    ["org", { org: "" }],
    ["kind", { kind: "request" }],
    ["kind", { kind: "Request.created" }],
    ["kind", { kind: "request.created.twice" }],
    ["kind", { kind: `future.${"x".repeat(58)}` }],
    ["kind", { kind: null }],
    ["actor", { actor: sampleId("ses", 1) }],
    ["actor", { actor: "sys_" }],
    ["actor", { actor: "bo@example.com" }],
    ["actor", { actor: "01234567-89ab-cdef-0123-456789abcdef" }],
    ["credential", { credential: sampleId("usr", 1) }],
    ["credential", { credential: false }],
    ["resource", { resource: "deploy" }],
    ["resource", { resource: [] }],
    ["resource", { resource: { digest: sampleHash("payload"), gate: "deploy" } }],
    ["resource", { resource: { digest: `sha256:${sampleHash("payload")}` } }],
    ["resource", { resource: { digest: `sha256:${sampleHash("payload")}`, gate: "Deploy gate" } }],
    ["resource", { resource: { digest: `sha256:${sampleHash("payload")}`, gate: "deploy", name: "x" } }],
    ["request", { request: sampleId("task", 1) }],
    ["request", { request: 0 }],
    ["data", { data: null }],
    ["data", { data: [] }],
    ["data", { data: { decisions: 1, revision: 1 } }],
    ["data", { data: { decisions: 1, revision: 1, stages: 1, extra: 1 } }],
    ["prev", { prev: sampleHash("prev").toUpperCase() }],
    ["prev", { prev: sampleHash("prev").slice(1) }],
    ["prev", { prev: null }],
  ])("ledger R-LED-1, R-LED-2: an entry whose %s is not in its form is none: %j", (member, replaced) => {
    const finding = findingOf(textWith(replaced));
    expect(finding).toMatch(new RegExp(`^${member}\\b`));
  });

  it("ledger R-LED-4: one entry has one text", () => {
    const text = encodeEntry(entry);
    const others: Readonly<Record<string, string>> = {
      "white space": text.replace('"v":1', '"v": 1'),
      "a final newline": `${text}\n`,
      "a byte order mark": `\ufeff${text}`,
      "another order": text.replace(/^\{"actor":"sys_engine",(.*)\}$/, '{$1,"actor":"sys_engine"}'),
      "another order inside": text.replace('"decisions":1,"revision":1', '"revision":1,"decisions":1'),
      "another escape": text.replace("sys_engine", "sys_\\u0065ngine"),
      "another number": text.replace('"seq":4', '"seq":4.0'),
      "an exponent": text.replace('"seq":4', '"seq":4e0'),
      "a duplicate member": text.replace('"seq":4', '"seq":3,"seq":4'),
      "a duplicate member inside": text.replace('"stages":1', '"stages":1,"stages":1'),
    };
    for (const [name, other] of Object.entries(others)) {
      expect(other, name).not.toBe(text);
      expect(findingOf(other), name).not.toBeNull();
    }
  });

  it("ledger R-LED-4: a duplicate member of an unknown kind and a negative zero are caught as well", () => {
    const text = encodeEntry(opaque);
    expect(findingOf(text.replace('{"any":"thing"}', '{"any":"thing","any":"thing"}'))).not.toBeNull();
    expect(findingOf(text.replace('{"any":"thing"}', '{"any":-0}'))).not.toBeNull();
    expect(findingOf(text.replace('"thing"', '"\\u0074hing"'))).not.toBeNull();
  });

  it("ledger R-LED-1: what is not an object is not an entry", () => {
    for (const text of ["", "null", "[]", "1", '"entry"', "{", "undefined", "{}}", encodeEntry(entry).slice(0, -1)]) {
      expect(findingOf(text), text).not.toBeNull();
    }
  });

  it("ledger R-LED-2: opaque data holds integers, well-formed text and at most six levels", () => {
    const good: JsonObject[] = [
      { deep: [[[[]]]] },
      { deep: { a: { b: { c: [] } } } },
      { text: "Öz 😀", truth: [true, null], number: -(2 ** 53 - 1) },
    ];
    for (const data of good) expect(findingOf(encodeEntry({ ...opaque, data }))).toBeNull();
    expect(findingOf(textWith({ data: { deep: [[[[[]]]]] } }, opaque))).toMatch(/deeper than 6/);
    expect(findingOf(textWith({ data: { number: 1.5 } }, opaque))).toMatch(/no integer/);
    expect(findingOf(textWith({ data: { number: [2 ** 53] } }, opaque))).toMatch(/no integer/);
    const text = textWith({ data: { text: "PLACE" } }, opaque);
    expect(findingOf(text.replace("PLACE", "\\ud800"))).toMatch(/lone surrogate/);
    expect(findingOf(text.replace("PLACE", "\ud800"))).toMatch(/lone surrogate/);
    expect(findingOf(text.replace('"text"', '"\\udc00"'))).toMatch(/lone surrogate/);
  });

  it("ledger R-LED-2: a text nested without measure is refused, not a crash", () => {
    const text = textWith({ data: { deep: "PLACE" } }, opaque);
    const deep = text.replace('"PLACE"', `${"[".repeat(30_000)}${"]".repeat(30_000)}`);
    expect(findingOf(deep)).not.toBeNull();
  });

  it("ledger R-LED-3: 65,535 bytes are accepted, 65,536 are not, counted in bytes", () => {
    for (const filler of ["a", "é", "€", "😀"]) {
      const largest = encodeEntry(filled(ENTRY_BYTES_MAX, filler));
      expect(Buffer.byteLength(largest)).toBe(65_535);
      expect(findingOf(largest)).toBeNull();
      expect(() => encodeEntry(filled(ENTRY_BYTES_MAX + 1, filler))).toThrow(LedgerBug);
      expect(findingOf(largest.replace('"text":"', '"text":"y'))).toMatch(/larger than 65535 bytes/);
    }
  });

  it("ledger R-LED-1: what is not an entry cannot be written either", () => {
    const wrong: unknown[] = [null, {}, { ...entry, org: "acme" }, { ...entry, data: { revision: 1, text: "x" } }];
    for (const value of wrong) expect(() => encoded(value)).toThrow(LedgerBug);
    expect(() => encodeEntry({ ...opaque, data: { text: "\ud800" } })).toThrow(LedgerBug);
  });
});
