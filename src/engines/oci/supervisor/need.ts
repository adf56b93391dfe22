import type { Container, ContainerRecord } from "../records.ts";

/** Whether a container of this kind wants somebody to look after it while it runs. */
export function wantsSupervisor({ spec }: ContainerRecord): boolean {
  return spec.networks.length > 0 || spec.service.restart.name !== "no"; // who is in a network asks for names
}

/** Whether somebody has to be there for a container now. */
export function needsSupervisor({ record, status }: Container, starting: boolean): boolean {
  return (starting || status.state === "running") && wantsSupervisor(record);
}
