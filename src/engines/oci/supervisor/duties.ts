import type { Duty, DutyTools } from "./duty.ts";

/** Everything that a supervisor looks after, in the order in which it looks. */
export function duties(_tools: DutyTools): readonly Duty[] {
  return [];
}
