/** Which stages run together. Implements docs/spec/engine.md R-STAGE-10. */
import type { Policy, Stage } from "./policy.ts";
import type { StagePlace } from "./separation-of-duties.ts";

/** Neighbours with the same non-null `parallel_group` form one group; a number that comes back later is a new group. */
export function stageGroups(policy: Policy): readonly (readonly Stage[])[] {
  const groups: Stage[][] = [];
  for (const stage of policy.stages) {
    const last = groups.at(-1);
    const joins = stage.parallelGroup !== null && last?.[0]?.parallelGroup === stage.parallelGroup;
    if (joins) last.push(stage);
    else groups.push([stage]);
  }
  return groups;
}

export function groupOf(policy: Policy, order: number): readonly Stage[] {
  return stageGroups(policy).find((group) => group.some((stage) => stage.order === order)) ?? [];
}

export function placeOf(policy: Policy, order: number): StagePlace {
  return { order, group: groupOf(policy, order).map((stage) => stage.order) };
}
