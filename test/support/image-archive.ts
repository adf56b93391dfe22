/** Archives of images, made in memory: an OCI image layout, or Docker's form. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type TarEntry, tar } from "./tar.ts";

export interface ImageOfLayers {
  /** Plain tars, the lowest first. */
  readonly layers: readonly Buffer[];
  /** Canonical or familiar names. */
  readonly names: readonly string[];
  /** Laid over the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** As `docker save` writes it since version 25, or skopeo's oci-archive: layers compressed, everything under its digest. */
export function layoutArchive(images: readonly ImageOfLayers[]): Buffer {
  const files = new Map<string, Buffer>();
  const put = (bytes: Buffer, mediaType: string) => {
    const digest = digestOf(bytes);
    files.set(`blobs/sha256/${digest.slice(7)}`, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const manifests = images.flatMap((image) => {
    const layers = image.layers.map((layer) => put(gzipSync(layer, { level: 1 }), "application/vnd.oci.image.layer.v1.tar+gzip"));
    const config = put(json(configuration(image)), "application/vnd.oci.image.config.v1+json");
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = put(json({ schemaVersion: 2, mediaType, config, layers }), mediaType);
    if (image.names.length === 0) return [manifest];
    return image.names.map((name) => ({ ...manifest, annotations: { "io.containerd.image.name": name } }));
  });
  files.set("oci-layout", json({ imageLayoutVersion: "1.0.0" }));
  files.set("index.json", json({ schemaVersion: 2, manifests }));
  return tar([...files].map(([path, content]): TarEntry => ({ path, content })));
}

/** As `docker save` wrote it before: plain layers in directories of their own, one that comes again as a link to the first. */
export function dockerArchive(images: readonly ImageOfLayers[]): Buffer {
  const entries: TarEntry[] = [];
  const seen = new Map<string, string>();
  const manifest = images.map((image, i) => {
    const config = json(configuration(image));
    const name = `${digestOf(config).slice(7)}.json`;
    entries.push({ path: name, content: config });
    const layers = image.layers.map((layer, j) => {
      const path = `layer${i}-${j}/layer.tar`;
      const before = seen.get(digestOf(layer));
      entries.push(before === undefined ? { path, content: layer } : { path, type: "symlink", target: `../${before}` });
      if (before === undefined) seen.set(digestOf(layer), path);
      return path;
    });
    return { Config: name, RepoTags: image.names, Layers: layers };
  });
  entries.push({ path: "manifest.json", content: json(manifest) }, { path: "repositories", content: "{}" });
  return tar(entries);
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The id that an image of an archive gets. */
export function idOf(image: ImageOfLayers): string {
  return digestOf(json(configuration(image)));
}

function configuration({ layers, config }: ImageOfLayers): object {
  return {
    created: "2026-01-02T03:04:05Z",
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { Cmd: ["/run"] },
    rootfs: { type: "layers", diff_ids: layers.map(digestOf) },
    history: layers.map((_, i) => ({ created: "2026-01-02T03:04:05Z", created_by: `step ${i + 1}` })),
    ...config,
  };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
