import { healthPlan } from "../health.ts";
import type { Layout } from "../layout.ts";
import { isLeft } from "../left.ts";
import { type Container, type ContainerRecord, readStarting } from "../records.ts";
import { comesBack, hasPolicy } from "../restarts.ts";

/** Whether a container of this kind wants somebody to look after it while it runs. */
export function wantsSupervisor(record: ContainerRecord): boolean {
  const isLimited = typeof record.spec.service.logging?.maxSize === "number";
  const isAsked = hasPolicy(record) || healthPlan(record) !== null || isLimited || record.owner !== undefined;
  return isAsked || record.spec.networks.length > 0; // who is in a network asks for names
}

/** Whether somebody has to be there for a container now: it runs or is being started and wants that, or it waits to come back, or to go. */
export function needsSupervisor(layout: Layout, container: Container): boolean {
  const { record, status } = container;
  if (!wantsSupervisor(record)) return false;
  if (record.owner !== undefined && (status.state === "exited" || isLeft(layout, container))) return true;
  return status.state === "running" || readStarting(layout, record.id) !== null || comesBack(layout, container);
}
