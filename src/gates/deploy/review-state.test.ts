import { expect, it } from "vitest";
import { reviewApprovals, reviewStates } from "./review-state.ts";

const said = (...words: readonly (readonly [string | null, string])[]) =>
  words.map(([author, state]) => ({ author, state }));

it("deploy R-GITHUB-5: of each reviewer the last word counts, and a remark takes no word back", () => {
  const reviews = said(["ann", "approved"], ["ben", "changes_requested"], ["ann", "commented"], ["ben", "approved"]);
  expect(reviewStates(reviews)).toEqual(said(["ann", "approved"], ["ben", "approved"]));
  expect(reviewApprovals(reviews)).toBe(2);
  expect(reviewApprovals(said(["ann", "approved"], ["ann", "dismissed"], ["ben", "approved"]))).toBe(1);
});

it("deploy R-GITHUB-5: who only remarked is shown so, and drafts and unknown accounts are not shown", () => {
  expect(reviewStates(said(["ann", "commented"], ["ben", "pending"], [null, "approved"]))).toEqual(
    said(["ann", "commented"]),
  );
});
