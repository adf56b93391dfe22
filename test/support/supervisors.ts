import { readdirSync, readFileSync } from "node:fs";
import type { World } from "./world.ts";

/** Process ids of the supervisors of a world. */
export function supervisors(world: Pick<World, "root">): readonly number[] {
  return processes(world, (program) => !/(^|\/)(conmon|sh)$/.test(program)); // these know how to start one
}

/** Kills the supervisors of a world and those who would start them again when they end. */
export function killSupervisors(world: Pick<World, "root">): void {
  for (const pid of [...processes(world, (program) => program === "/bin/sh"), ...supervisors(world)]) process.kill(pid, "SIGKILL");
}

/** Those that name a supervisor and the world among their words. */
function processes(world: Pick<World, "root">, isMeant: (program: string) => boolean): readonly number[] {
  return readdirSync("/proc").flatMap((name) => {
    const words = /^\d+$/.test(name) ? commandLine(name) : [];
    const isOne = words.some((word) => /supervisor\.cjs$|supervisor\/main\.ts$/.test(word)) && words.includes(world.root);
    return isOne && isMeant(words[0] ?? "") ? [Number(name)] : [];
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
