import { expect, it } from "vitest";
import { deployedCommit, deployedTo } from "./deployed-commit.ts";

const COMMIT = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const context = { git_commit_hash: COMMIT, scope: "production" };

it("ledger R-OFF-4: an approval is for a commit where the deploy gate bound it", () => {
  expect(deployedCommit({ gate: "deploy", git_commit: COMMIT })).toBe(COMMIT);
  expect(deployedCommit({ gate: "deploy", context })).toBe(COMMIT);
  expect(deployedTo({ gate: "deploy", context })).toBe("production");
});

it("ledger R-OFF-4: what a requester of another gate writes into the context is no commit that was approved", () => {
  for (const gate of ["generic", "certificate", null]) {
    expect(deployedCommit({ gate, context })).toBeNull();
    expect(deployedCommit({ gate, git_commit: COMMIT })).toBeNull();
    expect(deployedTo({ gate, context })).toBeNull();
  }
  expect([deployedCommit(null), deployedTo(null)]).toEqual([null, null]);
});
