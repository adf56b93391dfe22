import type { EventStep } from "../model/event.ts";
import { finalName } from "../model/names.ts";

/** How a step is spoken of while it is at work and when it is done: in Compose's words where it has them. */
export interface Words {
  readonly noun: "container" | "image" | "network" | "volume" | "supervisor";
  readonly doing: string;
  readonly done: string;
}

export const WORDS = {
  "image.pull": { noun: "image", doing: "pulling", done: "pulled" },
  "image.push": { noun: "image", doing: "pushing", done: "pushed" },
  "image.load": { noun: "image", doing: "loading", done: "loaded" },
  "image.verify": { noun: "image", doing: "verifying", done: "verified" },
  "network.create": { noun: "network", doing: "creating", done: "created" },
  "network.update": { noun: "network", doing: "changing", done: "changed" },
  "network.connect": { noun: "network", doing: "connecting", done: "connected" },
  "network.remove": { noun: "network", doing: "removing", done: "removed" },
  "volume.create": { noun: "volume", doing: "creating", done: "created" },
  "volume.update": { noun: "volume", doing: "changing", done: "changed" },
  "volume.remove": { noun: "volume", doing: "removing", done: "removed" },
  "container.create": { noun: "container", doing: "creating", done: "created" },
  "container.update": { noun: "container", doing: "changing", done: "changed" },
  "container.start": { noun: "container", doing: "starting", done: "started" },
  "container.stop": { noun: "container", doing: "stopping", done: "stopped" },
  "container.kill": { noun: "container", doing: "killing", done: "killed" },
  "container.hook": { noun: "container", doing: "running a hook", done: "ran a hook" },
  "container.pause": { noun: "container", doing: "pausing", done: "paused" },
  "container.unpause": { noun: "container", doing: "unpausing", done: "unpaused" },
  "container.restart": { noun: "container", doing: "restarting", done: "started" },
  "container.remove": { noun: "container", doing: "removing", done: "removed" },
  "container.rename": { noun: "container", doing: "recreating", done: "recreated" },
  "container.takeover": { noun: "container", doing: "taking over", done: "took over" },
  "container.drain": { noun: "container", doing: "draining", done: "drained" },
  "container.prove": { noun: "container", doing: "trying", done: "steady" },
  "container.wait": { noun: "container", doing: "waiting", done: "healthy" },
  "supervisor.start": { noun: "supervisor", doing: "starting", done: "started" },
} as const satisfies Record<EventStep["kind"], Words>;

/** What a step did, in a word. Who waited for an end, and not for health, saw that. */
export function doneWord({ kind, until }: Pick<EventStep, "kind" | "until">): string {
  return until === "completed" ? "exited" : WORDS[kind].done;
}

/** What a person calls the thing: a replacement goes by the name that it will have, Docker's registry and tag are left out. */
export function spoken(step: Pick<EventStep, "kind" | "subject">): string {
  const { noun } = WORDS[step.kind];
  if (noun === "image") return step.subject.replace(/^docker\.io\/(library\/)?/, "").replace(/:latest$/, "");
  return noun === "container" ? finalName(step.subject) : step.subject;
}
