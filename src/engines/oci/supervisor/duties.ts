import { dnsDuty } from "./dns/duty.ts";
import type { Duty, DutyTools } from "./duty.ts";
import { RestartDuty } from "./restart-duty.ts";

/** Everything that a supervisor looks after, in the order in which it looks. */
export function duties(tools: DutyTools): readonly Duty[] {
  return [dnsDuty(tools), new RestartDuty(tools)];
}
