// The least that any pull has to do with one layer: read it, inflate it, hash both forms, write the plain bytes. Called with a file and a place.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

const [, , from = "", to = ""] = process.argv;
const hashes = [createHash("sha256"), createHash("sha256")];
const hashing = (hash) =>
  async function* (chunks) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
await pipeline(
  createReadStream(from, { highWaterMark: 1 << 20 }),
  hashing(hashes[0]),
  createGunzip({ chunkSize: 1 << 20 }),
  hashing(hashes[1]),
  createWriteStream(to),
);
