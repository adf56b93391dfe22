import type { ContainerEvent } from "../engine/events.ts";
import { Failure } from "../model/diagnostic.ts";
import { clean } from "../ui/text.ts";
import { parseTime } from "./logs.ts";
import type { Session } from "./session.ts";

export interface EventsChoice {
  readonly services: readonly string[];
  readonly json: boolean;
  readonly since: string | undefined;
  readonly until: string | undefined;
}

/** Prints what happens to a project's containers, one line each, until it is interrupted or the time is over. */
export async function events(session: Session, { services, json, since, until }: EventsChoice): Promise<number> {
  const project = await session.project();
  const known = new Set([...project.services.map(({ name }) => name), ...project.disabled]);
  for (const service of services)
    if (!known.has(service))
      throw new Failure({
        code: "E_NO_SUCH_SERVICE",
        message: `no such service: ${service} (in project ${project.name})`,
        hint: `it has ${[...known].join(", ")}`,
      });
  const now = Date.now();
  const options = {
    since: since === undefined ? now : parseTime("since", since, now),
    until: until === undefined ? null : parseTime("until", until, now),
  };
  const engine = await session.engine();
  for await (const event of engine.events(project.name, options, session.signal)) {
    if (session.out.gone) return 0;
    if (services.length > 0 && !services.includes(event.service)) continue;
    await session.out.pour(`${json ? jsonOf(event) : textOf(event)}\n`);
  }
  return 0;
}

/** Compose's keys. */
function jsonOf({ time, service, id, action, attributes }: ContainerEvent): string {
  return JSON.stringify({ action, attributes, id, service, time, type: "container" });
}

/** As Compose prints it, in local time with six digits of a second. */
function textOf({ time, id, action, attributes }: ContainerEvent): string {
  const list = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
  return clean(`${localTime(time)} container ${action} ${id} (${list.join(", ")})`);
}

function localTime(time: string): string {
  const at = new Date(time);
  const two = (value: number): string => String(value).padStart(2, "0");
  const fraction = (/\.(\d{1,9})Z$/.exec(time)?.[1] ?? "").padEnd(6, "0").slice(0, 6);
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${fraction}`;
}
