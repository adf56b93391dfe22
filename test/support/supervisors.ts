import { readdirSync, readFileSync } from "node:fs";
import type { World } from "./world.ts";

/** Process ids of the supervisors of a world. */
export function supervisors(world: Pick<World, "root">): readonly number[] {
  return readdirSync("/proc").flatMap((name) => {
    const words = /^\d+$/.test(name) ? commandLine(name) : [];
    if (words[0]?.endsWith("conmon") === true) return []; // it knows how to start one
    return words.some((word) => /supervisor\.cjs$|supervisor\/main\.ts$/.test(word)) && words.includes(world.root) ? [Number(name)] : [];
  });
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")) return [];
    throw error;
  }
}
