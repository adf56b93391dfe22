/** Reads the repository's own sources, for the tests that watch over its shape. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");

export interface SourceFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file below directories of the repository, generated ones left out. */
export function sources(...directories: readonly string[]): readonly SourceFile[] {
  return directories.flatMap((directory) =>
    readdirSync(join(ROOT, directory), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && !path.includes("generated/"))
      .sort()
      .map((path) => join(directory, path))
      .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") })),
  );
}

/** What a file imports, of any kind: static, of types, dynamic, for its effects, re-exported. Our own files by path in the repository. */
export function importsOf({ path, text }: SourceFile): readonly string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const found = code.matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|^import\s+|\brequire\s*\(\s*)["']([^"'\n]+)["']/gm);
  return [...found].map(([, name = ""]) => (name.startsWith(".") ? relative(ROOT, join(ROOT, dirname(path), name)) : name));
}
