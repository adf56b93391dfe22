import { type BigIntStats, lstatSync, readdirSync } from "node:fs";

/** Bytes of the files of a tree, those with several names counted once. Nothing in it is followed. */
export async function treeSize(directory: string): Promise<number> {
  const seen = new Set<bigint>();
  const waiting: Buffer[] = [Buffer.from(directory)];
  let size = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const name of readdirSync(next, { encoding: "buffer" })) {
      const path = Buffer.concat([next, Buffer.from("/"), name]);
      const stats: BigIntStats = lstatSync(path, { bigint: true });
      if (stats.isDirectory()) waiting.push(path);
      if (!stats.isFile() || seen.has(stats.ino)) continue;
      if (stats.nlink > 1n) seen.add(stats.ino);
      size += Number(stats.size);
    }
    await new Promise(setImmediate); // a large tree does not keep the rest of the program from its work
  }
  return size;
}
