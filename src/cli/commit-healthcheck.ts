/** `HEALTHCHECK` of a Dockerfile. */
import type { ImageHealthcheck } from "../engine/images.ts";
import { parseDuration } from "../model/quantity.ts";

/** How the parts of a line are read: a program of it, and the error that says what is wrong with it. */
export interface LineTools {
  readonly words: (text: string) => readonly string[] | null;
  readonly wrong: (hint: string) => Error;
}

const HINT =
  "write HEALTHCHECK NONE, or HEALTHCHECK [--interval=30s --timeout=30s --start-period=0s --start-interval=5s --retries=3] CMD …";
const NANOSECONDS = 1_000_000;
const DURATIONS = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
} as const satisfies Record<string, keyof ImageHealthcheck>;

export function healthcheckOf(rest: string, { words, wrong }: LineTools): ImageHealthcheck {
  const { options, kind, command } = /^(?<options>(?:--\S+\s+)*)(?<kind>[A-Za-z]+)(?:\s+(?<command>\S[\s\S]*))?$/.exec(rest)?.groups ?? {};
  const given = (options ?? "").split(/\s+/).filter((option) => option !== "");
  if (kind?.toUpperCase() === "NONE" && command === undefined && given.length === 0) return { Test: ["NONE"] };
  if (kind?.toUpperCase() !== "CMD" || command === undefined) throw wrong(HINT);
  const list = words(command);
  if (list?.length === 0) throw wrong(HINT);
  return Object.assign(
    { Test: list === null ? ["CMD-SHELL", command] : ["CMD", ...list] },
    ...given.map((option) => optionOf(option, wrong)),
  );
}

function optionOf(option: string, wrong: LineTools["wrong"]): ImageHealthcheck {
  const [, name = "", value = ""] = /^--([a-z-]+)=(.+)$/.exec(option) ?? [];
  if (name === "retries") {
    if (!/^\d{1,9}$/.test(value)) throw wrong("--retries takes a whole number");
    return { Retries: Number(value) };
  }
  const key = Object.hasOwn(DURATIONS, name) ? DURATIONS[name as keyof typeof DURATIONS] : undefined;
  if (key === undefined) throw wrong(HINT);
  const ms = parseDuration(value);
  if (typeof ms !== "number" || (ms > 0 && ms < 1))
    throw wrong(`--${name} takes a time of a millisecond at least, such as 30s; 0 is the usual one`);
  return { [key]: Math.round(ms * NANOSECONDS) };
}
