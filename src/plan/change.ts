/**
 * What a change of a service's attribute means for its containers, attribute by attribute. The keys and texts recorded here are kept with every
 * container, and what is fixed of them goes into its hash, so they are a contract: new ones may come, those written stay as they are.
 */
import type { Source } from "../model/diagnostic.ts";
import type { Healthcheck } from "../model/health.ts";
import { canonical, isList, type Json } from "../model/json.ts";
import type { Attachment, Link, Network, NetworkMode } from "../model/network.ts";
import type { AttributeChange } from "../model/plan.ts";
import type { Project } from "../model/project.ts";
import {
  type FileGrant,
  type Hook,
  type Mount,
  type Port,
  type PreStart,
  type RestartPolicy,
  type Service,
  USUAL_GRACE_MS,
} from "../model/service.ts";
import { DEVICES } from "./change-devices.ts";
import { ISOLATION } from "./change-isolation.ts";
import { LIMITS } from "./change-limits.ts";
import { FILES, FIRST_START, type Fixed, LOGGING, LOOK_UPS, NAMESPACES, NAMING, NETWORKS, PROGRAM, RIGHTS } from "./fixed.ts";

/** What containers are made from, by the spec's own names; what is left at its default is absent. */
export type Attributes = Readonly<Record<string, Json>>;

/** A container has it: its name in the spec, and its value for the record, `null` where it is the default. */
interface Recorded {
  readonly key: string;
  readonly record: (service: Service) => Json;
  /** What of it only a new container can have; `null`: nothing, `adjusted` gives it to the one that is there. */
  readonly fixed: Fixed | null;
}

/** `scale`: how many containers; `none`: looked up in the spec whenever it matters; a list: the attributes that a part of the model stands for. */
const CHANGE = {
  name: "none",
  pin: "none", // which content the image has is told by its id
  image: { key: "image", record: (s) => s.image, fixed: FILES },
  containerName: { key: "container_name", record: (s) => s.containerName, fixed: NAMING },
  command: { key: "command", record: (s) => s.command, fixed: PROGRAM },
  entrypoint: { key: "entrypoint", record: (s) => s.entrypoint, fixed: PROGRAM },
  environment: { key: "environment", record: (s) => some(mapValues(s.environment, (value) => value ?? false)), fixed: PROGRAM }, // false: taken away
  ports: { key: "ports", record: (s) => list(s.ports.map(portText)), fixed: null },
  expose: { key: "expose", record: (s) => list(s.expose.map(({ port, protocol }) => `${port}/${protocol}`)), fixed: null },
  workingDir: { key: "working_dir", record: (s) => s.workingDir, fixed: PROGRAM },
  user: { key: "user", record: (s) => s.user, fixed: RIGHTS },
  hostname: { key: "hostname", record: (s) => s.hostname, fixed: NAMESPACES },
  domainname: { key: "domainname", record: (s) => s.domainname, fixed: NAMESPACES },
  labels: { key: "labels", record: (s) => some(s.labels), fixed: null },
  dependsOn: "none",
  restart: { key: "restart", record: (s) => restartText(s.restart), fixed: null },
  healthcheck: { key: "healthcheck", record: (s) => healthRecord(s.healthcheck), fixed: null },
  attach: "none",
  run: "none",
  init: { key: "init", record: (s) => flag(s.init), fixed: PROGRAM },
  tty: { key: "tty", record: (s) => flag(s.tty), fixed: PROGRAM },
  logging: { key: "logging", record: (s) => (s.logging === null ? null : { ...s.logging }), fixed: LOGGING },
  stdinOpen: { key: "stdin_open", record: (s) => flag(s.stdinOpen), fixed: PROGRAM },
  readOnly: { key: "read_only", record: (s) => flag(s.readOnly), fixed: FILES },
  mounts: {
    key: "volumes",
    record: (s) => some(Object.fromEntries(s.mounts.map((mount) => [mount.target, mountRecord(mount)]))),
    fixed: FILES,
  },
  volumesFrom: {
    key: "volumes_from",
    record: (s) => list((s.volumesFrom ?? []).map(({ from, name, readOnly }) => `${from}:${name}${readOnly ? ":ro" : ""}`)),
    fixed: FILES,
  },
  configs: { key: "configs", record: (s) => grants(s.configs), fixed: FILES },
  secrets: { key: "secrets", record: (s) => grants(s.secrets), fixed: FILES },
  extraHosts: { key: "extra_hosts", record: (s) => list(s.extraHosts.map(({ name, address }) => `${name}=${address}`)), fixed: null },
  dns: { key: "dns", record: (s) => list(s.dns), fixed: LOOK_UPS },
  dnsSearch: { key: "dns_search", record: (s) => list(s.dnsSearch), fixed: LOOK_UPS },
  dnsOptions: { key: "dns_opt", record: (s) => list(s.dnsOptions), fixed: LOOK_UPS },
  networks: { key: "networks", record: (s) => (s.networkMode === null ? attachmentsRecord(s.networks) : null), fixed: NETWORKS },
  networkMode: { key: "network_mode", record: (s) => (s.networkMode === null ? null : modeText(s.networkMode)), fixed: NAMESPACES },
  macAddress: { key: "mac_address", record: (s) => s.macAddress, fixed: NAMESPACES },
  links: { key: "links", record: (s) => list(s.links.map(linkText)), fixed: null },
  capAdd: { key: "cap_add", record: (s) => list(s.capAdd), fixed: RIGHTS },
  capDrop: { key: "cap_drop", record: (s) => list(s.capDrop), fixed: RIGHTS },
  resources: LIMITS,
  isolation: ISOLATION,
  devices: DEVICES,
  preStart: {
    key: "pre_start",
    record: (s) => (s.preStart.length === 0 ? null : s.preStart.map((step) => preStartRecord(step, s))),
    fixed: FIRST_START,
  },
  postStart: { key: "post_start", record: (s) => hookRecords(s.postStart), fixed: null },
  preStop: { key: "pre_stop", record: (s) => hookRecords(s.preStop), fixed: null },
  stopSignal: { key: "stop_signal", record: (s) => s.stopSignal, fixed: null },
  stopGraceMs: {
    key: "stop_grace_period",
    record: (s) => (s.stopGraceMs === USUAL_GRACE_MS ? null : `${s.stopGraceMs / 1000}s`),
    fixed: null,
  },
  scale: "scale",
  update: "none",
  rollback: "none",
  pullPolicy: "none",
  platform: { key: "platform", record: (s) => s.platform, fixed: FILES },
  profiles: "none",
} as const satisfies Record<keyof Service, Recorded | readonly Recorded[] | "scale" | "none">;

const RECORDED: readonly Recorded[] = Object.values<Recorded | readonly Recorded[] | "scale" | "none">(CHANGE).flatMap((given) =>
  typeof given === "string" ? [] : given,
);

/** By key, why what is fixed of it is so. */
const FIXED: ReadonlyMap<string, Fixed | null> = new Map(RECORDED.map(({ key, fixed }) => [key, fixed]));

/** What of a service its containers have. Its mounts name volumes as the caller resolved them. */
export function attributesOf(service: Service): Attributes {
  return present(Object.fromEntries(RECORDED.map(({ key, record }) => [key, record(service)])));
}

/** What of it only a new container could have otherwise. What another version recorded counts as fixed. */
export function fixedOf(attributes: Attributes): Attributes {
  return present(
    Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => {
        const fixed = FIXED.get(key);
        return [key, fixed === undefined ? value : fixed === null ? null : fixed.part(value)];
      }),
    ),
  );
}

/** Names of the attributes that a container gets in place, at least in part. */
export function changeableKeys(): readonly string[] {
  return RECORDED.filter(({ fixed }) => fixed === null || fixed === NETWORKS || fixed === LOGGING).map(({ key }) => key);
}

/** As `compare`, for a service's containers: with why only a new one can have what is fixed. */
export function compareContainers(before: Attributes, after: Attributes, where: Where): readonly AttributeChange[] {
  const fixed = differences("", { before: fixedOf(before), after: fixedOf(after) }).map(({ path }) => path);
  const isFixed = (path: string): boolean =>
    fixed.some((other) => other === path || other.startsWith(`${path}.`) || path.startsWith(`${other}.`));
  return compare(before, after, where).map((change) => ({
    ...change,
    fixedBecause: isFixed(change.path) ? (FIXED.get(change.path.split(".")[0] ?? "")?.why ?? UNKNOWN) : null,
  }));
}

const UNKNOWN = "this version does not know it";

/** What a network is made from, recorded likewise. */
export function networkAttributes({ labels, config }: Pick<Network, "labels" | "config">): Attributes {
  const subnets = Object.fromEntries(
    config.subnets.map(({ subnet, gateway, range, reserved }): [string, Json] => [
      subnet,
      present({ gateway, ip_range: range, aux_addresses: list(reserved) }),
    ]),
  );
  return present({
    internal: flag(config.internal),
    enable_ipv4: config.ipv4 ? null : false,
    enable_ipv6: flag(config.ipv6),
    ipam: some(subnets),
    mtu: config.mtu,
    bridge: config.bridge,
    icc: config.connected ? null : false,
    masquerade: config.masquerade ? null : false,
    labels: some(labels),
  });
}

/** What differs between two records, each difference with the place below a path of the spec where the new value stands. */
export function compare(before: Attributes, after: Attributes, where: Where): readonly AttributeChange[] {
  return differences("", { before, after }).map((difference) => ({
    ...difference,
    source: sourceOf(where.project, placeOf(where, difference.path)),
    fixedBecause: null,
  }));
}

/** Where an attribute is written: what `deploy` says too wins there. */
function placeOf({ project, path }: Where, attribute: string): string {
  const other = IN_DEPLOY.get(attribute);
  return `${path}.${other !== undefined && Object.hasOwn(project.sources, `${path}.${other}`) ? other : attribute}`;
}

const IN_DEPLOY: ReadonlyMap<string, string> = new Map([
  ["cpus", "deploy.resources.limits.cpus"],
  ["mem_limit", "deploy.resources.limits.memory"],
  ["mem_reservation", "deploy.resources.reservations.memory"],
  ["pids_limit", "deploy.resources.limits.pids"],
  ["restart", "deploy.restart_policy"],
]);

interface Where {
  readonly project: Project;
  /** Of the thing in the spec. */
  readonly path: string;
}

/** The place of a dotted path in the spec, or of the nearest thing around it that has one. */
export function sourceOf(project: Project, path: string): Source | null {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    const source = Object.hasOwn(project.sources, at) ? project.sources[at] : undefined;
    if (source !== undefined) return source;
  }
  return null;
}

type Difference = Pick<AttributeChange, "path" | "before" | "after">;

function differences(path: string, { before, after }: { readonly before: Json; readonly after: Json }): readonly Difference[] {
  if (!isMap(before) || !isMap(after)) return canonical(before) === canonical(after) ? [] : [{ path, before, after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) =>
    differences(path === "" ? key : `${path}.${key}`, { before: member(before, key), after: member(after, key) }),
  );
}

type JsonMap = { readonly [key: string]: Json };

function isMap(value: Json): value is JsonMap {
  return value !== null && typeof value === "object" && !isList(value);
}

function member(map: JsonMap, key: string): Json {
  return (Object.hasOwn(map, key) ? map[key] : undefined) ?? null;
}

function mapValues<T>(map: Readonly<Record<string, T>>, change: (value: T) => Json): JsonMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}

function some(map: JsonMap): Json {
  return Object.keys(map).length === 0 ? null : map;
}

function list(items: readonly string[]): Json {
  return items.length === 0 ? null : items;
}

/** Without what is `null`. */
function present(map: JsonMap): JsonMap {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}

function flag(value: boolean): Json {
  return value ? true : null;
}

function portText({ host: address, published, target, protocol }: Port): string {
  const host = address === "" ? "0.0.0.0" : address; // as it was written when there was only that
  const inside = `${target}/${protocol}`;
  if (published === null) return `${host}::${inside}`;
  return `${host}:${published.from === published.to ? published.from : `${published.from}-${published.to}`}:${inside}`;
}

/** What of a step is otherwise than in its service. */
function preStartRecord({ image, service, perReplica }: PreStart, own: Service): Json {
  const [step, whole] = [attributesOf({ ...service, image: image ?? own.image, preStart: [] }), attributesOf({ ...own, preStart: [] })];
  const differing = Object.entries(step).filter(([key, value]) => canonical(value) !== canonical(whole[key] ?? null));
  return { ...Object.fromEntries(differing), ...(perReplica ? { per_replica: true } : {}) };
}

function hookRecords(hooks: readonly Hook[]): Json {
  const records = hooks.map(({ command, user, privileged, workingDir, environment }) =>
    present({
      command,
      user,
      privileged: flag(privileged),
      working_dir: workingDir,
      environment: some(environment),
    }),
  );
  return records.length === 0 ? null : records;
}

/** `null`: on the default network, with nothing said about how. */
function attachmentsRecord(attachments: readonly Attachment[]): Json {
  const record = Object.fromEntries(attachments.map((attachment): [string, JsonMap] => [attachment.network, attachmentRecord(attachment)]));
  const isPlain = attachments.length === 1 && Object.keys(record["default"] ?? { none: true }).length === 0;
  return isPlain ? null : some(record);
}

function attachmentRecord(attachment: Attachment): JsonMap {
  return present({
    aliases: list(attachment.aliases),
    ipv4_address: attachment.ipv4Address,
    ipv6_address: attachment.ipv6Address,
    link_local_ips: list(attachment.linkLocalAddresses),
    mac_address: attachment.macAddress,
    interface_name: attachment.interfaceName,
    sysctls: some(attachment.sysctls),
    priority: attachment.priority === 0 ? null : attachment.priority,
    gw_priority: attachment.gatewayPriority === 0 ? null : attachment.gatewayPriority,
  });
}

function modeText(mode: NetworkMode): string {
  if (mode.type === "network") return mode.name;
  return "of" in mode ? `${mode.type}:${mode.of}` : mode.type;
}

function linkText({ type, of, alias }: Link): string {
  return `${type === "container" ? "container:" : ""}${of}:${alias}`;
}

function restartText({ name, limit, delayMs, windowMs }: RestartPolicy): Json {
  if (name === "no") return null;
  const text = limit === 0 ? name : `${name}:${limit}`;
  return `${text}${delayMs === null ? "" : ` delay ${delayMs}`}${windowMs === null ? "" : ` window ${windowMs}`}`;
}

/** By key, so that a change of content is told as `configs.KEY`. The content itself is only there as a digest. */
function grants(files: readonly FileGrant[]): Json {
  const texts = new Map<string, readonly string[]>();
  for (const file of files) texts.set(file.source, [...(texts.get(file.source) ?? []), grantText(file)]);
  return some(Object.fromEntries([...texts].map(([source, all]) => [source, all.join(", ")])));
}

function grantText({ target, uid, gid, mode, digest }: FileGrant): string {
  const owner = uid === 0 && gid === 0 ? [] : [`${uid}:${gid}`];
  const bits = mode === 0o444 ? [] : [mode.toString(8).padStart(4, "0")];
  return [target, ...owner, ...bits, ...(digest === undefined ? [] : [`content ${digest}`])].join(" ");
}

/** What is left to the image, or at its default, is absent. */
function healthRecord(check: Healthcheck | null): Json {
  if (check === null) return null;
  const { test, restart, ...numbers } = check;
  const given = Object.entries(numbers).filter((pair): pair is [string, number] => pair[1] !== null);
  return { ...Object.fromEntries(given), ...(test === null ? {} : { test: { ...test } }), ...(restart ? { restart } : {}) };
}

/** Like the whole, a mount's record leaves out what is at its default. */
function mountRecord(mount: Mount): Json {
  const { type } = mount;
  const common: Record<string, Json> = mount.readOnly ? { type, read_only: true } : { type };
  switch (mount.type) {
    case "bind":
      if (mount.propagation !== "rprivate") common["propagation"] = mount.propagation;
      if (mount.recursive !== undefined) common["recursive"] = mount.recursive;
      return { ...common, source: mount.source }; // whether a missing source is made matters only while the container is
    case "volume":
      if (mount.source !== null) common["source"] = mount.source;
      if (mount.noCopy) common["nocopy"] = true;
      if (mount.subpath !== null) common["subpath"] = mount.subpath;
      if (mount.labels !== undefined) common["labels"] = mount.labels;
      return common;
    case "image":
      if (mount.subpath !== null) common["subpath"] = mount.subpath;
      return { ...common, source: mount.source };
    case "tmpfs":
      if (mount.size !== null) common["size"] = mount.size;
      if (mount.mode !== null) common["mode"] = mount.mode;
      if (mount.options.length > 0) common["options"] = mount.options;
      return common;
  }
}
