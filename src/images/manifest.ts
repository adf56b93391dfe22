/** Parsers of what a registry says an image is: index, manifest, configuration. Everything in them is checked before it is used. */
import type { ImageConfig } from "../engine/images.ts";
import { Failure } from "../model/diagnostic.ts";
import { type Digest, parseDigest } from "../model/digest.ts";
import { formatPlatform, normalPlatform, type Platform, runnable } from "../model/platform.ts";
import { isForeignLayer, isImageConfig, manifestKind } from "./media-types.ts";
import { count, type Fields, fields, list, optional, parseJson, text, texts, WrongShape } from "./shape.ts";

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export interface Manifest {
  readonly kind: "manifest";
  readonly mediaType: string;
  readonly config: Descriptor;
  /** The lowest first. */
  readonly layers: readonly Descriptor[];
}

export interface Index {
  readonly kind: "index";
  readonly manifests: readonly (Descriptor & { readonly platform: Platform | null })[];
}

export interface Configuration {
  readonly created: string | null;
  readonly platform: Platform;
  readonly config: ImageConfig;
  /** The lowest first. */
  readonly diffIds: readonly Digest[];
}

/** Reads an index or manifest; `where` names the image. Throws for anything that is no image. */
export function parseManifest(bytes: Uint8Array, contentType: string, where: string): Manifest | Index {
  return shaped(where, () => {
    const document = fields(parseJson(bytes, "the manifest"), "the manifest");
    const kind = manifestKind(optional(document["mediaType"], "mediaType", text) ?? contentType);
    if (kind === "schema1" || document["schemaVersion"] === 1)
      throw new Failure({
        code: "E_IMAGE_SCHEMA1",
        message: `${where} has a manifest of Docker's first format, which is not supported`,
        hint: "push the image again with a current tool",
      });
    // A registry may serve manifests under a general type: what is in them then tells.
    if (kind === "index" || (kind === "unknown" && Array.isArray(document["manifests"]))) return parseIndex(document);
    if (kind === "manifest" || (kind === "unknown" && Array.isArray(document["layers"])))
      return parseImageManifest(document, { where, mediaType: optional(document["mediaType"], "mediaType", text) ?? contentType });
    throw new WrongShape(`what it has the type ${JSON.stringify(contentType.slice(0, 100))} and`, "an image manifest");
  });
}

export function parseConfiguration(bytes: Uint8Array, where: string): Configuration {
  return shaped(where, () => {
    const document = fields(parseJson(bytes, "its configuration"), "its configuration");
    const rootfs = fields(document["rootfs"], "rootfs");
    const diffIds = texts(rootfs["diff_ids"], "rootfs.diff_ids").map((id) => digest(id, "rootfs.diff_ids"));
    const created = optional(document["created"], "created", text);
    return {
      created: created === null || Number.isNaN(Date.parse(created)) ? null : created,
      platform: platformOf(document),
      config: parseConfig(optional(document["config"], "config", fields) ?? {}),
      diffIds,
    };
  });
}

/** The part of a configuration that containers get. What is `null` or of no use to them is left out. */
export function parseConfig(config: Fields): ImageConfig {
  const words = (key: string): readonly string[] | null => optional(config[key], `config.${key}`, texts);
  const word = (key: string): string | null => optional(config[key], `config.${key}`, text);
  const set = (key: string): Readonly<Record<string, Readonly<Record<string, never>>>> | null =>
    optional(config[key], `config.${key}`, (value, where) =>
      Object.fromEntries(Object.keys(fields(value, where)).map((name) => [name, {}])),
    );
  const labels = optional(config["Labels"], "config.Labels", (value, where) =>
    Object.fromEntries(Object.entries(fields(value, where)).map(([name, label]) => [name, text(label, `${where}.${name}`)])),
  );
  return withoutNull({
    Cmd: words("Cmd"),
    Entrypoint: words("Entrypoint"),
    Env: words("Env"),
    ExposedPorts: set("ExposedPorts"),
    WorkingDir: word("WorkingDir"),
    User: word("User"),
    Labels: labels,
    Volumes: set("Volumes"),
    StopSignal: word("StopSignal"),
  });
}

/** The manifest of an index that a platform runs best. */
export function choose(index: Index, wanted: Platform, where: string): Descriptor {
  const offered = index.manifests.filter(({ platform }) => platform !== null && platform.os !== "unknown");
  for (const acceptable of runnable(wanted)) {
    const found = offered.find(({ platform }) => platform !== null && formatPlatform(platform) === formatPlatform(acceptable));
    if (found !== undefined) return found;
  }
  const [only] = index.manifests;
  if (only !== undefined && index.manifests.length === 1 && only.platform === null) return only;
  const names = offered.map(({ platform }) => (platform === null ? "" : formatPlatform(platform)));
  throw new Failure({
    code: "E_IMAGE_PLATFORM",
    message: `${where} has no image for ${formatPlatform(wanted)}; it has ${names.length === 0 ? "none at all" : names.join(", ")}`,
    hint: "choose one of those with `platform`, or an image that is built for this machine",
  });
}

/** Runs a parser; a wrong shape becomes a failure that names the image. */
export function shaped<T>(where: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof WrongShape)) throw error;
    throw new Failure(
      {
        code: "E_IMAGE_MANIFEST",
        message: `${where} is not an image that can be used: ${error.message}`,
        hint: "check that the name means an image, and that it was pushed whole",
      },
      { cause: error },
    );
  }
}

function parseImageManifest(document: Fields, { where, mediaType }: { readonly where: string; readonly mediaType: string }): Manifest {
  const config = descriptor(document["config"], "config");
  if (!isImageConfig(config.mediaType))
    throw new WrongShape(`its configuration of type ${JSON.stringify(config.mediaType)}`, "that of an image");
  const layers = list(document["layers"], "layers").map((layer, index) => descriptor(layer, `layers[${index}]`));
  const foreign = layers.find(({ mediaType }) => isForeignLayer(mediaType));
  if (foreign !== undefined)
    throw new Failure({
      code: "E_IMAGE_LAYER_FOREIGN",
      message: `${where} has a layer that its registry does not hold: ${foreign.digest} (${foreign.mediaType})`,
    });
  return { kind: "manifest", mediaType, config, layers };
}

function parseIndex(document: Fields): Index {
  const manifests = list(document["manifests"], "manifests").map((item, index) => {
    const where = `manifests[${index}]`;
    return {
      ...descriptor(item, where),
      platform: optional(fields(item, where)["platform"], `${where}.platform`, (value, at) => platformOf(fields(value, at))),
    };
  });
  return { kind: "index", manifests };
}

function descriptor(value: unknown, where: string): Descriptor {
  const document = fields(value, where);
  return {
    mediaType: text(document["mediaType"], `${where}.mediaType`),
    digest: digest(text(document["digest"], `${where}.digest`), `${where}.digest`),
    size: count(document["size"], `${where}.size`),
  };
}

function platformOf(document: Fields): Platform {
  const variant = optional(document["variant"], "variant", text);
  return normalPlatform({
    os: text(document["os"], "os"),
    architecture: text(document["architecture"], "architecture"),
    variant: variant === "" ? null : variant,
  });
}

function digest(value: string, where: string): Digest {
  const parsed = parseDigest(value);
  if (typeof parsed !== "string") throw new WrongShape(where, `a digest: ${parsed.problem}`);
  return parsed;
}

type WithoutNull<T> = { [K in keyof T]?: Exclude<T[K], null> };

function withoutNull<T extends object>(value: T): WithoutNull<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null)) as WithoutNull<T>;
}
