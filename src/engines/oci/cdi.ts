/** The Container Device Interface: what vendors say in files of what a container needs for their devices. Pure. */
import type { DeviceRequest } from "../../model/devices.ts";
import type { OciHook, OciHooks } from "./oci-spec.ts";

/** One file. */
export interface CdiSpec {
  readonly path: string;
  /** `vendor.com/class` */
  readonly kind: string;
  /** For whoever has one of its devices. */
  readonly edits: CdiEdits;
  readonly devices: ReadonlyMap<string, CdiEdits>;
}

export interface CdiEdits {
  readonly env: readonly string[];
  readonly nodes: readonly CdiNode[];
  readonly mounts: readonly CdiMount[];
  readonly hooks: OciHooks;
  readonly groups: readonly number[];
}

export interface CdiNode {
  readonly path: string;
  readonly hostPath: string;
  /** `null`: as it is on the host. */
  readonly type: "b" | "c" | null;
  readonly major: number | null;
  readonly minor: number | null;
  readonly fileMode: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly access: string;
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type: string | null;
  readonly options: readonly string[];
}

/** A spec of a file's value. Throws an `Error` that says what it lacks. */
export function parseCdi(path: string, value: unknown): CdiSpec {
  const file = new Part(value, "it");
  const kind = file.at("kind").text();
  if (!/^[^\s/]+\/[^\s/=]+$/.test(kind)) throw new Error(`its kind ${JSON.stringify(kind)} is no vendor/class`);
  const devices = file
    .at("devices")
    .list()
    .map((device): [string, CdiEdits] => {
      const name = device.at("name");
      return [name.isText() ? name.text() : String(name.number()), editsOf(device.at("containerEdits"))];
    });
  return { path, kind, edits: editsOf(file.at("containerEdits")), devices: new Map(devices) };
}

/**
 * The edits for qualified names, each spec's own once, before those of its devices. `specs`: those that count more come later. What there is no
 * device for is in `missing`.
 */
export function editsFor(
  names: readonly string[],
  specs: readonly CdiSpec[],
): { readonly edits: readonly CdiEdits[]; readonly missing: readonly string[] } {
  const used = new Set<CdiSpec>();
  const edits: CdiEdits[] = [];
  const missing: string[] = [];
  for (const name of new Set(names)) {
    const [kind = "", device = ""] = [name.slice(0, name.indexOf("=")), name.slice(name.indexOf("=") + 1)];
    const spec = specs.findLast((candidate) => candidate.kind === kind && candidate.devices.has(device));
    const own = spec?.devices.get(device);
    if (spec === undefined || own === undefined) {
      missing.push(name);
      continue;
    }
    if (!used.has(spec)) edits.push(spec.edits);
    used.add(spec);
    edits.push(own);
  }
  return { edits, missing };
}

/** The qualified names that a request comes to. A text says why there are none. */
export function namesFor(request: DeviceRequest, specs: readonly CdiSpec[]): readonly string[] | string {
  const { driver, ids, count, capabilities } = request;
  if (driver === "cdi") return ids;
  const kind = kindFor(request, specs);
  if (kind === null) return `${driver ?? "device"} with the capabilities ${capabilities.join(", ") || "of any kind"}`;
  const devices = specs.filter((spec) => spec.kind === kind).flatMap((spec) => [...spec.devices.keys()]);
  if (ids.length > 0) return ids.map((id) => `${kind}=${id}`);
  if (count === -1) return devices.includes("all") ? [`${kind}=all`] : devices.map((device) => `${kind}=${device}`);
  const numbered = Array.from({ length: count }, (_, index) => String(index));
  return numbered.map((device) => `${kind}=${device}`);
}

/** A driver is a vendor's first name. */
function kindFor({ driver, capabilities }: DeviceRequest, specs: readonly CdiSpec[]): string | null {
  const kinds = [...new Set(specs.map(({ kind }) => kind))].sort();
  const vendor = driver ?? ["nvidia", "amd", "intel"].find((name) => capabilities.includes(name)) ?? null;
  const wanted = kinds.filter((kind) => vendor === null || kind.startsWith(`${vendor}.`));
  const classes = capabilities.includes("gpu") || capabilities.length === 0 ? ["gpu"] : [...capabilities, "gpu"];
  const found = wanted.filter((kind) => classes.some((name) => kind.endsWith(`/${name}`)));
  return found.find((kind) => kind.startsWith("nvidia.com/")) ?? found[0] ?? null;
}

function editsOf(value: Part): CdiEdits {
  const texts = (key: string): readonly string[] =>
    value
      .at(key)
      .list()
      .map((item) => item.text());
  return {
    env: texts("env").filter((entry) => /^[^=\0]+=[^\0]*$/.test(entry)),
    nodes: value.at("deviceNodes").list().map(nodeOf),
    mounts: value
      .at("mounts")
      .list()
      .map((mount) => ({
        hostPath: mount.at("hostPath").path(),
        containerPath: mount.at("containerPath").path(),
        type: mount.at("type").optional((type) => type.text()),
        options: mount
          .at("options")
          .list()
          .map((option) => option.text()),
      })),
    hooks: hooksOf(value.at("hooks").list()),
    groups: value
      .at("additionalGids")
      .list()
      .map((gid) => gid.number()),
  };
}

function nodeOf(node: Part): CdiNode {
  const number = (key: string): number | null => node.at(key).optional((value) => value.number());
  const type = node.at("type").optional((value) => value.text());
  const path = node.at("path").path();
  return {
    path,
    hostPath: node.at("hostPath").optional((value) => value.path()) ?? path,
    type: type === "b" || type === "c" ? type : null,
    major: number("major"),
    minor: number("minor"),
    fileMode: number("fileMode"),
    uid: number("uid"),
    gid: number("gid"),
    access: node.at("permissions").optional((value) => value.text()) || "rwm",
  };
}

const HOOKS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"] as const;

function hooksOf(items: readonly Part[]): OciHooks {
  const hooks = items.map((item): [string, OciHook] => {
    const timeout = item.at("timeout").optional((value) => value.number());
    const args = item
      .at("args")
      .list()
      .map((arg) => arg.text());
    const env = item
      .at("env")
      .list()
      .map((entry) => entry.text());
    const path = item.at("path").path();
    const rest = { ...(args.length === 0 ? {} : { args }), ...(env.length === 0 ? {} : { env }), ...(timeout === null ? {} : { timeout }) };
    return [item.at("hookName").text(), { path, ...rest }];
  });
  return mergeHooks(hooks.map(([name, hook]) => ({ [hookName(name)]: [hook] })));
}

function hookName(name: string): (typeof HOOKS)[number] {
  const known = HOOKS.find((candidate) => candidate === name);
  if (known === undefined) throw new Error(`its hook ${JSON.stringify(name)} is none of ${HOOKS.join(", ")}`);
  return known;
}

/** One list after the other for each moment. */
export function mergeHooks(all: readonly OciHooks[]): OciHooks {
  const merged: { -readonly [Name in keyof OciHooks]: OciHook[] } = {};
  for (const name of HOOKS) {
    const hooks = all.flatMap((some) => some[name] ?? []);
    if (hooks.length > 0) merged[name] = hooks;
  }
  return merged;
}

/** A part of a file. What is `null` is as good as absent. */
class Part {
  readonly #value: unknown;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    this.#value = value ?? null;
    this.#where = where;
  }

  at(key: string): Part {
    const where = this.#where === "it" ? `its ${key}` : `${this.#where}.${key}`;
    if (this.#value === null) return new Part(null, where);
    if (typeof this.#value !== "object" || Array.isArray(this.#value)) throw new Error(`${this.#where} is no mapping`);
    return new Part(Object.hasOwn(this.#value, key) ? Reflect.get(this.#value, key) : null, where);
  }

  list(): readonly Part[] {
    if (this.#value === null) return [];
    if (!Array.isArray(this.#value)) throw new Error(`${this.#where} is no list`);
    return this.#value.map((item: unknown, index) => new Part(item, `${this.#where}[${index}]`));
  }

  isText(): boolean {
    return typeof this.#value === "string";
  }

  text(): string {
    if (typeof this.#value !== "string") throw new Error(`${this.#where} is no text`);
    return this.#value;
  }

  path(): string {
    const path = this.text();
    if (!path.startsWith("/") || path.includes("\0")) throw new Error(`${this.#where} is no absolute path`);
    return path;
  }

  number(): number {
    if (typeof this.#value !== "number" || !Number.isSafeInteger(this.#value)) throw new Error(`${this.#where} is no whole number`);
    return this.#value;
  }

  optional<T>(read: (part: Part) => T): T | null {
    return this.#value === null ? null : read(this);
  }
}
