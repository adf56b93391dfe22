import type { Change, Plan, Step } from "../model/plan.ts";

/** A plan as it stands behind others that had `count` steps: its ids go on from theirs. */
export function shifted(plan: Plan, count: number): Plan {
  const shift = (id: number) => id + count;
  const steps = plan.steps.map((step): Step => {
    const anyway = step.afterAnyway === undefined ? {} : { afterAnyway: step.afterAnyway.map(shift) };
    return { ...step, id: shift(step.id), after: step.after.map(shift), ...anyway };
  });
  return { ...plan, steps };
}

/** Two plans for one project, the second made when the first was done, as the one plan that both are. */
export function joined(first: Plan, second: Plan): Plan {
  const changes = new Map<string, Change>(first.changes.map((change) => [change.address, change]));
  for (const change of second.changes) if (change.kind !== "unchanged" || !changes.has(change.address)) changes.set(change.address, change);
  const notices = [
    ...first.notices,
    ...second.notices.filter(({ message }) => first.notices.every((notice) => notice.message !== message)),
  ];
  return { ...second, steps: [...first.steps, ...second.steps], changes: [...changes.values()], notices };
}
