/** Images of a given size and number of files in a registry, made of bytes that compress about as those of real images do. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

export interface Layer {
  readonly compressed: Buffer;
  readonly diffId: string;
}

/** A reproducible stream of 32-bit numbers (xorshift). */
function numbers(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** A layer with as many files of together so many bytes, compressed as registries have it. */
export function makeLayer(options: {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  readonly seed: number;
}): Layer {
  const next = numbers(options.seed);
  const noise = Buffer.alloc(4 << 20);
  for (let at = 0; at < noise.length; at += 4) noise.writeUInt32LE(next(), at);
  const text = Buffer.from(Array.from({ length: 20_000 }, () => `${next() % 997} the quick brown ${next() % 89} fox\n`).join(""));
  const each = Math.floor(options.bytes / options.files);
  const parts: Buffer[] = [header({ path: `${options.name}/`, type: "5", size: 0 })];
  for (let i = 0; i < options.files; i++) {
    if (i % 100 === 0) parts.push(header({ path: `${options.name}/d${i / 100}/`, type: "5", size: 0 }));
    // From a third to five thirds of the mean, half of it noise.
    const size = Math.floor(each / 3 + (next() / 2 ** 32) * each * (4 / 3));
    parts.push(header({ path: `${options.name}/d${Math.floor(i / 100)}/f${i}`, type: "0", size }));
    for (let left = size; left > 0; ) {
      const source = next() % 5 < 2 ? noise : text;
      const length = Math.min(left, 16 << 10);
      const from = next() % (source.length - length);
      parts.push(source.subarray(from, from + length));
      left -= length;
    }
    parts.push(Buffer.alloc((512 - (size % 512)) % 512));
  }
  parts.push(Buffer.alloc(1024));
  const tar = Buffer.concat(parts);
  return { compressed: gzipSync(tar), diffId: digest(tar) };
}

/** Puts an image into a registry that wants no credentials. */
export async function putImage(registry: string, name: string, layers: readonly Layer[]): Promise<void> {
  const put = async (content: Buffer): Promise<{ readonly digest: string; readonly size: number }> => {
    const begun = await fetch(`http://${registry}/v2/${name}/blobs/uploads/`, { method: "POST" });
    const place = new URL(begun.headers.get("location") ?? "", `http://${registry}`);
    place.searchParams.set("digest", digest(content));
    const done = await fetch(place, { method: "PUT", body: content, headers: { "content-type": "application/octet-stream" } });
    if (done.status !== 201) throw new Error(`the registry answers ${done.status}: ${await done.text()}`);
    return { digest: digest(content), size: content.length };
  };
  const blobs = [];
  for (const { compressed } of layers) blobs.push({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...(await put(compressed)) });
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: { Cmd: ["/bin/sh"] },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    }),
  );
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...(await put(config)) },
    layers: blobs,
  });
  const headers = { "content-type": "application/vnd.oci.image.manifest.v1+json" };
  const done = await fetch(`http://${registry}/v2/${name}/manifests/1`, { method: "PUT", body: manifest, headers });
  if (done.status !== 201) throw new Error(`the registry answers ${done.status}: ${await done.text()}`);
}

function digest(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** A ustar header. */
function header({ path, type, size }: { readonly path: string; readonly type: string; readonly size: number }): Buffer {
  const block = Buffer.alloc(512);
  block.write(path, 0, 100);
  block.write(type === "5" ? "0000755\0" : "0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  block.write("14000000000\0", 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write("ustar\x0000", 257);
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return block;
}
