// ROOT/memory.json   { version, sha256, world }: the whole world of the memory engine, written at every change
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../model/diagnostic.ts";
import { EMPTY, type Store, type World } from "./world.ts";

const VERSION = 1;

export const worldFile = (root: string): string => join(root, "memory.json");

/**
 * A store that commands started one after the other share. Nothing is there until something changes. Of two that write at once the last one
 * wins: it is for trying things out. Throws E_MEMORY_FILE where the file is not one that this version wrote.
 */
export function fileStore(root: string): Store {
  const path = worldFile(root);
  return { read: () => readWorld(path), write: (world) => writeWorld(root, { path, world }) };
}

function readWorld(path: string): World {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return EMPTY;
    throw unusable(path, "cannot be read", error);
  }
  try {
    return parseWorld(text);
  } catch (error) {
    throw unusable(path, "is not what this version of wharf wrote", error);
  }
}

/** The sum stands for the shape: what carries it was written here, whole. */
function parseWorld(text: string): World {
  const file: unknown = JSON.parse(text);
  if (typeof file !== "object" || file === null || !("version" in file) || !("sha256" in file) || !("world" in file))
    throw new Error("it has not the keys version, sha256 and world");
  if (file.version !== VERSION) throw new Error(`its version is ${JSON.stringify(file.version)}, not ${VERSION}`);
  if (file.sha256 !== sumOf(JSON.stringify(file.world))) throw new Error("its checksum is wrong");
  return file.world as World;
}

function writeWorld(root: string, { path, world }: { readonly path: string; readonly world: World }): void {
  try {
    mkdirSync(root, { recursive: true, mode: 0o711 });
    place(path, `${JSON.stringify({ version: VERSION, sha256: sumOf(JSON.stringify(world)), world })}\n`);
  } catch (error) {
    throw unusable(path, "cannot be written", error);
  }
}

function place(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function sumOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function unusable(path: string, what: string, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure(
    { code: "E_MEMORY_FILE", message: `${path} ${what}: ${why}`, hint: `rm ${path} makes the memory engine forget` },
    { cause },
  );
}
