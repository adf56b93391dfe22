import { dnsDuty } from "./dns/duty.ts";
import type { Duty, DutyTools } from "./duty.ts";
import { FilterDuty } from "./filter-duty.ts";
import { HealthDuty } from "./health-duty.ts";
import { LeftDuty } from "./left-duty.ts";
import { LogDuty } from "./log-duty.ts";
import { portsDuty } from "./ports/duty.ts";
import { RestartDuty } from "./restart-duty.ts";

/** Everything that a supervisor looks after, in the order in which it looks. */
export function duties(tools: DutyTools): readonly Duty[] {
  const watchers = [new RestartDuty(tools), new HealthDuty(tools), new LogDuty(tools), new LeftDuty(tools)];
  return [dnsDuty(tools), portsDuty(tools), new FilterDuty(tools), ...watchers];
}
