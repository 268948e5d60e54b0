/** `countersign verify <file>`: exit statuses, what it says is proven, and what it says is not. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { runVerifyBundle } from "../../src/cli/run-verify-bundle.ts";
import type { VerifyFileFlags } from "../../src/cli/run-verify-bundle.ts";
import { deployedCommit } from "../../src/evidence/deployed-commit.ts";
import { isRecord } from "../../src/ledger/kind-schema.ts";
import { countersign } from "../support/countersign-process.ts";
import { attestationSpki, pinsOf, strictQuestion } from "./damaged-bundles.ts";
import { LOG_VKEY, sampleApproval, sealApproval, TRUST } from "./sample-bundles.ts";
import type { SampleApproval } from "./sample-bundles.ts";
import { sampleKeys } from "./sample-decisions.ts";

const keys = sampleKeys(1);

function isSigned({ draft }: SampleApproval["rows"][number]): boolean {
  return draft.kind === "decision.recorded" && draft.data["assertion"] !== null;
}

function approvalWhere(is: (approval: SampleApproval) => boolean): SampleApproval {
  for (let seed = 1; seed < 10_000; seed += 1) {
    const approval = sampleApproval(seed, keys);
    if (approval.request.outcome === "approved" && approval.request.gate === "deploy" && is(approval)) return approval;
  }
  throw new Error("no sample is like that");
}

function commitOf({ payload }: SampleApproval): string {
  return deployedCommit(payload) ?? "";
}

describe("the command verify with a file", () => {
  let directory = "";
  let said = "";
  const signed = approvalWhere(({ rows, isErased }) => rows.some(isSigned) && !isErased);
  const mixed = approvalWhere(({ rows }) => rows.some(({ draft }) => draft.data["assurance"] === "mfa"));
  const erased = approvalWhere(({ rows, isErased }) => isErased && rows.some(({ openings }) => openings.length > 0));
  const attested = approvalWhere(({ hasAttestation, isErased }) => hasAttestation && !isErased);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "countersign-verify-"));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    said = "";
    const hear = (text: unknown): void => {
      said += `${String(text)}\n`;
    };
    vi.spyOn(console, "log").mockImplementation(hear);
    vi.spyOn(console, "error").mockImplementation(hear);
  });

  function file(name: string, text: string): string {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  }

  function verify(text: string, flags: VerifyFileFlags = { trust: file("trust", TRUST) }): number {
    return runVerifyBundle(file("evidence", text), flags);
  }

  it("ledger R-OFF-1: is 0 for a sound bundle and tells each decision, also in a process of its own", async () => {
    const text = sealApproval(signed);
    expect(verify(text)).toBe(0);
    const decision = signed.rows.find(isSigned)?.draft;
    expect(said).toContain(` by ${String(decision?.actor)}`);
    expect(said).toContain(`saw payload ${String(decision?.resource?.digest)}`);
    expect(said).toContain("Sound: every check passed.");
    const args = ["verify", file("evidence", text), "--trust", file("trust", TRUST), "--json"];
    const child = countersign(args);
    expect(await child.exited).toBe(0);
    expect(JSON.parse(child.printed())).toMatchObject({ sound: true, outcome: "approved" });
  });

  it("ledger R-OFF-1: is 1 when the evidence is wrong, and names step, code, entry, person and check", () => {
    const flags = { trust: file("trust", TRUST) };
    const other = { ...signed, payload: { ...signed.payload, rack: "staging" } };
    expect(verify(sealApproval(other), flags)).toBe(1);
    expect(said).toMatch(/^Not sound: payload_mismatch \(step 4\) at entry \d+: /);
    said = "";
    const rows = signed.rows.map((row) =>
      isSigned(row) ? { ...row, draft: { ...row.draft, data: { ...row.draft.data, shown_at: row.at } } } : row,
    );
    expect(verify(sealApproval({ ...signed, rows }), { ...flags, json: true })).toBe(1);
    const person = signed.rows.find(isSigned)?.draft.actor;
    const failure = { sound: false, step: 5, code: "decision_invalid", check: "statement_mismatch", person };
    expect(JSON.parse(said)).toMatchObject(failure);
  });

  it("ledger R-OFF-1: asks for the payload, the commit and the time that it is told", () => {
    const trust = file("trust", TRUST);
    const digest = signed.rows.find(({ draft }) => draft.kind === "request.created")?.draft.resource?.digest ?? "";
    const commit = commitOf(signed);
    const text = sealApproval(signed);
    expect(verify(text, { trust, expectDigest: digest, expectCommit: commit })).toBe(0);
    expect(verify(text, { trust, expectDigest: digest.replace("sha256:", "") })).toBe(0);
    expect(verify(text, { trust, expectDigest: "0".repeat(64) })).toBe(1);
    expect(verify(text, { trust, expectCommit: commit.slice(1) })).toBe(1);
    expect(verify(text, { trust, at: "2020-01-01T00:00:00Z" })).toBe(1);
    expect(said).toContain("grant_invalid");
  });

  it("ledger R-OFF-1: is 2 when nothing could be checked", () => {
    const trust = file("trust", TRUST);
    const text = sealApproval(signed);
    const statuses = [
      runVerifyBundle(join(directory, "nothing"), { trust }),
      runVerifyBundle(directory, { trust }),
      verify("{", { trust }),
      verify(text.replace(/"v":1\}$/, '"v":2}'), { trust }),
      verify(`${text}${" ".repeat(5 * 1024 * 1024)}`, { trust }),
      verify(text, { trust: join(directory, "nothing") }),
      verify(text, { trust: file("bad-trust", "believe everybody\n") }),
      verify(text, { trust, keys: file("bad-keys", "person ann\n") }),
      verify(text, { trust, at: "yesterday" }),
      verify(text, { trust, at: "2026-02-30T00:00:00Z" }),
    ];
    expect(statuses).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    said = "";
    expect(verify("{", { trust, json: true })).toBe(2);
    expect(JSON.parse(said)).toMatchObject({ sound: null });
  });

  it("ledger R-OFF-4: without a trust file it prints the key that it found, and is 2", () => {
    expect(verify(sealApproval(signed), {})).toBe(2);
    expect(said).toContain(`\nlog ${LOG_VKEY}\nquorum none\n`);
    said = "";
    const nameless = sealApproval(signed, (it) => ({ ...it, entries: it.entries.filter(({ seq }) => seq > 0) }));
    expect(verify(nameless, {})).toBe(2);
    expect(said).toContain(LOG_VKEY.split("+").slice(0, 2).join("+"));
  });

  it("ledger R-OFF-2: a decision that nobody signed is not passed off as signed", () => {
    expect(verify(sealApproval(mixed))).toBe(0);
    expect(said).toMatch(
      /^ {2}mfa decision of usr_\w+ \(entry \d+\): recorded by the server, not signed by the person$/m,
    );
    expect(said).toContain("not anchored");
    expect(said).toContain("no witness");
    expect(said).toMatch(/who was asked: the server looked up/);
  });

  it("ledger R-OFF-2: what was erased is said to be erased, and the rest still verifies", () => {
    expect(verify(sealApproval(erased))).toBe(0);
    expect(said).toContain("payload erased");
    expect(said).toMatch(/reason erased \(entry \d+\)|artifact erased \(entry \d+\)/);
  });

  it("ledger R-OFF-4: keys that are not pinned are vouched for by the server only; a witness speaks against one history", () => {
    expect(verify(sealApproval(signed))).toBe(0);
    expect(said).toContain("key vouched for by the server only");
    said = "";
    const { bundle, trust } = strictQuestion(signed);
    const flags = {
      trust: file("witnessed", trust),
      keys: file(
        "keys",
        pinsOf(signed, (spki) => spki),
      ),
    };
    expect(verify(bundle, flags)).toBe(0);
    expect(said).not.toContain("vouched for");
    expect(said).not.toContain("no witness");
    expect(said).toContain("witnesses cosigned that checkpoint: w1");
  });

  it("ledger R-OFF-1: an attestation alone is checked against pinned keys", () => {
    const bundle: unknown = JSON.parse(sealApproval(attested));
    const envelope = JSON.stringify(isRecord(bundle) ? bundle["dsse"] : null);
    const pinned = { keys: file("keys", `attestation ${attestationSpki()}\n`) };
    const commit = commitOf(attested);
    expect(verify(envelope, { ...pinned, expectCommit: commit })).toBe(0);
    expect(said).toContain(`gitCommit:${commit}`);
    expect(verify(envelope, { ...pinned, expectCommit: "0".repeat(40) })).toBe(1);
    expect(said).toContain("not_for_this");
    const [person] = pinsOf(attested, (spki) => spki).split("\n");
    const stranger = file("stranger", `attestation ${String(person).split(" ").at(-1) ?? ""}\n`);
    expect(verify(envelope, { keys: stranger })).toBe(1);
    expect(verify(envelope, { trust: file("trust", TRUST) })).toBe(2);
  });
});
