/** Our own small files. Each is written whole; one that was not waited for may be torn after a power cut. */
import { readFileSync, type Stats, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { parseWritten } from "./atomic-file.ts";

/** `null`: it is not there, or torn. */
export function readJson<T>(path: string): T | null {
  const text = readText(path);
  return text === null ? null : parseWritten<T>(text);
}

export function statIfThere(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
}

export function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
}

/** Names of what lies in a directory; none where it is not there. */
export async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
