/** Makes images as registries hold them: manifests, configurations and layers, by digest. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Digest, parseDigest } from "../../src/model/digest.ts";
import { type TarEntry, tar } from "./tar.ts";

export const TYPES = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

export interface Document {
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly digest: Digest;
}

/** What a name leads to, and everything below it. */
export interface MadeImage {
  readonly top: Document;
  /** Manifests below an index. */
  readonly documents: readonly Document[];
  readonly blobs: readonly Document[];
}

export interface ImageOptions {
  /** The lowest first: tar archives, compressed here. */
  readonly layers?: readonly (readonly TarEntry[])[];
  /** `linux/amd64/v2`; this machine's unless given. */
  readonly platform?: string;
  /** Replaces members of the manifest. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Replaces members of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** How the layers' type is called. */
  readonly layerType?: string;
  /** As gzip takes it, 1 unless given: the same content in other bytes. */
  readonly level?: number;
}

export const HERE = `linux/${process.arch === "x64" ? "amd64" : process.arch}`;

/** An image of one small file, unless told more. */
export function image(options: ImageOptions = {}): MadeImage {
  const archives = (options.layers ?? [[{ path: "hello", content: "hello" }]]).map((entries) => tar(entries));
  const { layerType = TYPES.layer } = options;
  const layers = archives.map((archive) => document(layerType, gzipSync(archive, { level: options.level ?? 1 })));
  const config = json(TYPES.config, {
    ...platformOf(options.platform ?? HERE),
    created: "2026-01-01T00:00:00Z",
    config: { Cmd: ["/hello"] },
    rootfs: { type: "layers", diff_ids: archives.map((archive) => digestOf(archive)) },
    ...options.config,
  });
  const top = json(TYPES.manifest, {
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: descriptor(config),
    layers: layers.map(descriptor),
    ...options.manifest,
  });
  return { top, documents: [top], blobs: [config, ...layers] };
}

/** An index over images; each with the platform to say for it, or none. */
export function index(entries: readonly { readonly image: MadeImage; readonly platform?: string }[]): MadeImage {
  const top = json(TYPES.index, {
    schemaVersion: 2,
    mediaType: TYPES.index,
    manifests: entries.map(({ image: { top: below }, platform }) => ({
      ...descriptor(below),
      ...(platform === undefined ? {} : { platform: platformOf(platform) }),
    })),
  });
  return {
    top,
    documents: [top, ...entries.flatMap((entry) => entry.image.documents)],
    blobs: entries.flatMap((entry) => entry.image.blobs),
  };
}

/** What build tools attach to an image: it looks like one, for a platform that nobody has. */
export function attestation(): { readonly image: MadeImage; readonly platform: string } {
  return { image: image({ config: { config: { Cmd: ["/attestation"] } } }), platform: "unknown/unknown" };
}

export function document(mediaType: string, bytes: Buffer): Document {
  return { mediaType, bytes, digest: digestOf(bytes) };
}

export function json(mediaType: string, value: unknown): Document {
  return document(mediaType, Buffer.from(JSON.stringify(value)));
}

export function descriptor({ mediaType, digest, bytes }: Document): {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
} {
  return { mediaType, digest, size: bytes.length };
}

export function digestOf(bytes: Uint8Array): Digest {
  const digest = parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
  if (typeof digest !== "string") throw new Error(digest.problem);
  return digest;
}

function platformOf(text: string): Readonly<Record<string, string>> {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
