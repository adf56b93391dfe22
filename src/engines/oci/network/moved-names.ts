import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "../layout.ts";

/** Where another program has port 53 of every address, a supervisor answers at another port, and the packet filter leads there. */
export function movedNames(layout: Layout): ReadonlyMap<string, number> {
  const directory = directoryOf(layout);
  try {
    return new Map(readdirSync(directory).map((address) => [address, Number(readFileSync(join(directory, address), "latin1"))]));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw error;
  }
}

export function moveNames(layout: Layout, address: string, port: number): void {
  mkdirSync(directoryOf(layout), { recursive: true, mode: 0o700 });
  writeFileSync(join(directoryOf(layout), address), String(port), { mode: 0o600 });
}

/** Gives whether they were moved. */
export function namesAreBack(layout: Layout, address: string): boolean {
  if (!movedNames(layout).has(address)) return false;
  rmSync(join(directoryOf(layout), address), { force: true });
  return true;
}

const directoryOf = (layout: Layout): string => join(layout.run, "moved-names");
