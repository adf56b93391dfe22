/** What of an attribute only a new container can have, and why. What is not fixed changes in place. */
import { isList, type Json } from "../model/json.ts";

export interface Fixed {
  /** A sentence's end behind the attribute, for people. */
  readonly why: string;
  /** That part of a recorded value; `null`: nothing of it. */
  readonly part: (value: Json) => Json;
}

const all = (why: string): Fixed => ({ why, part: (value) => value });

export const PROGRAM = all("a program gets it when it begins");
export const FILES = all("its file system is put together with it");
export const NAMESPACES = all("its namespaces are made with it");
export const RIGHTS = all("a program's rights are fixed when it begins");
export const NAMING = all("a container is known by it");
export const RUNTIME = all("the runtime makes the container with it");
/** Of what runs already each process has its own, which it may have chosen itself: to write over that is not what the spec asks for. */
export const INHERITED = all("a process has it from its parent, and may have changed it since");
export const LOOK_UPS = all("most programs read it once");
export const FIRST_START = all("it is run before a container's first start");

/** Aliases are nothing but names in wharf's own name server and hosts files. */
export const NETWORKS: Fixed = {
  why: NAMESPACES.why,
  part: (value) => {
    if (!isMap(value)) return value;
    const bare = Object.entries(value).map(([name, attachment]): readonly [string, Json] => [name, withoutAliases(attachment)]);
    const [[name, attachment] = ["", null], ...others] = bare;
    const isPlain = others.length === 0 && name === "default" && isMap(attachment) && Object.keys(attachment).length === 0;
    return isPlain ? null : Object.fromEntries(bare); // as a record says nothing of the default network and no more
  },
};

/** Where output goes is told to the monitor as it begins; how much of it is kept is looked up. */
export const LOGGING: Fixed = {
  why: "its monitor is told when it begins where the output goes",
  part: (value) => {
    const driver = isMap(value) ? (value["driver"] ?? null) : null;
    return driver === "none" || driver === "journald" ? driver : null;
  },
};

function withoutAliases(attachment: Json): Json {
  return isMap(attachment) ? Object.fromEntries(Object.entries(attachment).filter(([key]) => key !== "aliases")) : attachment;
}

function isMap(value: Json): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === "object" && !isList(value);
}
