/** Parsers of what a registry says an image is: index, manifest, configuration. Everything in them is checked before it is used. */
import type { ImageConfig, ImageHealthcheck } from "../engine/images.ts";
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
    if (kind === "schema1" || document["schemaVersion"] === 1) throw schema1(where);
    // A registry may serve manifests under a general type: what is in them then tells.
    if (kind === "index" || (kind === "unknown" && Array.isArray(document["manifests"]))) return parseIndex(document);
    if (kind === "manifest" || (kind === "unknown" && Array.isArray(document["layers"])))
      return parseImageManifest(document, { where, mediaType: optional(document["mediaType"], "mediaType", text) ?? contentType });
    throw new WrongShape(`what it has the type ${JSON.stringify(contentType.slice(0, 100))} and`, "an image manifest");
  });
}

/** Throws for an answer of a type that says it is Docker's first format. */
export function refuseSchema1(contentType: string, where: string): void {
  if (manifestKind(contentType) === "schema1") throw schema1(where);
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
    Healthcheck: optional(config["Healthcheck"], "config.Healthcheck", healthcheck),
    OnBuild: words("OnBuild"),
    Shell: words("Shell"),
  });
}

function healthcheck(value: unknown, where: string): ImageHealthcheck {
  const document = fields(value, where);
  const number = (key: string): number | null => optional(document[key], `${where}.${key}`, count);
  return withoutNull({
    Test: optional(document["Test"], `${where}.Test`, texts),
    Interval: number("Interval"),
    Timeout: number("Timeout"),
    StartPeriod: number("StartPeriod"),
    StartInterval: number("StartInterval"),
    Retries: number("Retries"),
  });
}

/** The manifests of an index that may lead to an image for a platform: the one that runs best there, else indexes that do not say what is in them. */
export function choose(index: Index, wanted: Platform): readonly Descriptor[] {
  const offered = platformsOf(index);
  for (const acceptable of runnable(wanted)) {
    const name = formatPlatform(acceptable);
    const found = offered.find(({ platform }) => formatPlatform(platform) === name);
    if (found !== undefined) return [found];
  }
  const silent = index.manifests.filter(({ platform }) => platform === null);
  return silent.length === 1 && offered.length === 0 ? silent : silent.filter(({ mediaType }) => manifestKind(mediaType) === "index");
}

/** What an index has an image for. Attestations are no images, and say so by a platform that nobody has. */
export function platformsOf({ manifests }: Index): readonly (Descriptor & { readonly platform: Platform })[] {
  return manifests.flatMap(({ platform, ...descriptor }) =>
    platform === null || platform.os === "unknown" || platform.architecture === "unknown" ? [] : [{ ...descriptor, platform }],
  );
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

function schema1(where: string): Failure {
  return new Failure({
    code: "E_IMAGE_SCHEMA1",
    message: `${where} has a manifest of Docker's first format, which is not supported`,
    hint: "push the image again with a current tool",
  });
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
