// <lockDirectory>/<project>.words/<pid>-<count>   what a command that goes ahead has to say to the one whose turn it is
import { mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isTemporary, writeAtomic } from "../lib/atomic-file.ts";
import { readJson } from "../lib/written.ts";
import type { ProjectLockOptions } from "./project-lock.ts";

type Of = Pick<ProjectLockOptions, "directory" | "project">;

/** Said before it is done. */
export interface Word {
  /** The turn that it is said to. */
  readonly turn: string;
  readonly pid: number;
  readonly purpose: string;
  /** The containers that it is about; `null`: all of the project. */
  readonly containers: readonly string[] | null;
}

let count = 0;

/** Gives its name. */
export async function leaveWord(of: Of, word: Word): Promise<string> {
  mkdirSync(directoryOf(of), { recursive: true, mode: 0o700 });
  count += 1;
  const name = `${process.pid}-${count}`;
  await writeAtomic(join(directoryOf(of), name), JSON.stringify(word), { durable: false });
  return name;
}

/** What is said to a turn, by name. */
export function wordsFor(of: Of, turn: string): ReadonlyMap<string, Word> {
  const found = new Map<string, Word>();
  for (const name of namesIn(of)) {
    const word = isTemporary(name) ? null : readJson<Word>(join(directoryOf(of), name));
    if (word?.turn === turn) found.set(name, word);
  }
  return found;
}

export function takeBackWord(of: Of, names: readonly string[]): void {
  for (const name of names) rmSync(join(directoryOf(of), name), { force: true });
  try {
    rmdirSync(directoryOf(of));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTEMPTY") throw error; // others have a word there
  }
}

export function clearWords(of: Of): void {
  rmSync(directoryOf(of), { recursive: true, force: true });
}

function namesIn(of: Of): readonly string[] {
  try {
    return readdirSync(directoryOf(of));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

const directoryOf = ({ directory, project }: Of): string => join(directory, `${project}.words`);
