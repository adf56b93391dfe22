import type { Stats } from "node:fs";

/** What stands at a path, as far as copying cares. */
export function kindOf(stats: Stats): "file" | "directory" | "symlink" | "other" {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "other";
}

/** A name as its bytes, which is how trees are packed and unpacked: text of one character each. */
export function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}
