import type { Joined } from "../../model/action.ts";
import type { Json } from "../../model/json.ts";
import type { Logging } from "../../model/logging.ts";
import type { ContainerState, PublishedPort } from "../../model/observed.ts";
import type { Service } from "../../model/service.ts";
import type { HealthPlan, HealthState } from "./health.ts";
import { devicesOf } from "./inspect-devices.ts";
import { wallsOf } from "./inspect-isolation.ts";
import { limitsOf } from "./inspect-limits.ts";
import type { ProcessConfig } from "./process-config.ts";

/** What is known of a container, for its document. Times are RFC 3339 UTC. */
export interface InspectInput {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly image: { readonly id: string; readonly reference: string };
  readonly state: InspectState;
  readonly healthcheck: HealthPlan | null;
  readonly service: Service;
  readonly process: ProcessConfig;
  readonly hostname: string;
  /** The image's, the service's and wharf's own. */
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly InspectMount[];
  readonly autoRemove: boolean;
  /** Open now; none while it does not run. */
  readonly ports: readonly PublishedPort[];
  /** `host`, `service:db`, …; `null`: its networks say it. */
  readonly networkMode: string | null;
  readonly networks: readonly InspectNetwork[];
  /** Host paths. */
  readonly files: { readonly hosts: string; readonly hostname: string; readonly resolvConf: string; readonly log: string };
}

export interface InspectState {
  readonly status: ContainerState;
  /** `null` while it does not run. */
  readonly pid: number | null;
  /** Of its last end; `null` before the first. */
  readonly exitCode: number | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly oomKilled: boolean;
  /** Why the last start failed, or empty. */
  readonly error: string;
  readonly restartCount: number;
  /** `null`: nobody looks. */
  readonly health: HealthState | null;
}

export interface InspectMount {
  readonly type: "bind" | "volume" | "tmpfs";
  /** Engine name of a volume, else `null`. */
  readonly volume: string | null;
  /** Host path; empty for tmpfs. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly propagation: string;
  /** Of an image whose files it shows. */
  readonly image?: { readonly reference: string };
  readonly options: readonly string[];
}

/** A network that it joins. What an interface has is `null` while there is none. */
export interface InspectNetwork {
  readonly name: string;
  readonly aliases: readonly string[];
  /** What it was asked to have there. */
  readonly wanted: Pick<Joined, "ipv4Address" | "ipv6Address" | "linkLocalAddresses" | "gatewayPriority">;
  readonly ipv4: InspectInterface | null;
  readonly ipv6: InspectInterface | null;
  readonly mac: string | null;
  /** What others find it by there. */
  readonly names: readonly string[];
}

/** The addresses of one family. */
export interface InspectInterface {
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
}

/** Docker's inspect document of one container. */
export function containerInspect(input: InspectInput): Json {
  const { process, service, files } = input;
  const [path = "", ...args] = process.argv;
  return {
    Id: input.id,
    Created: input.createdAt,
    Path: path,
    Args: args,
    State: stateOf(input.state),
    Image: input.image.id,
    ResolvConfPath: files.resolvConf,
    HostnamePath: files.hostname,
    HostsPath: files.hosts,
    LogPath: files.log,
    Name: `/${input.name}`,
    RestartCount: input.state.restartCount,
    Driver: "overlay",
    Platform: service.platform?.split("/")[0] ?? "linux",
    HostConfig: hostConfigOf(input),
    Mounts: input.mounts.map(mountOf),
    Config: configOf(input),
    NetworkSettings: networkSettingsOf(input),
  };
}

/** How Docker writes "never". */
const NEVER = "0001-01-01T00:00:00Z";

function stateOf(state: InspectState): Json {
  const { status } = state;
  return {
    Status: status,
    Running: status === "running" || status === "paused" || status === "restarting",
    Paused: status === "paused",
    Restarting: status === "restarting",
    OOMKilled: state.oomKilled,
    Dead: status === "dead",
    Pid: state.pid ?? 0,
    ExitCode: status === "running" || status === "paused" ? 0 : (state.exitCode ?? 0),
    Error: state.error,
    StartedAt: state.startedAt ?? NEVER,
    FinishedAt: state.finishedAt ?? NEVER,
    ...(state.health === null ? {} : { Health: healthDocument(state.health) }),
  };
}

function healthDocument({ status, streak, log }: HealthState): Json {
  return { Status: status, FailingStreak: streak, Log: log.map((entry) => ({ ...entry })) };
}

/** Nanoseconds, as Docker counts. Probes from outside have a word of their own. */
function healthcheckOf({ test, intervalMs, timeoutMs, startPeriodMs, startIntervalMs, retries }: HealthPlan): Json {
  const words =
    test.kind === "command"
      ? ["CMD", ...test.argv]
      : test.kind === "tcp"
        ? ["TCP", String(test.port)]
        : ["HTTP", `${test.scheme}://:${test.port}${test.path}`];
  const [Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0] = [intervalMs, timeoutMs, startPeriodMs, startIntervalMs].map(
    (ms) => ms * 1e6,
  );
  return { Test: words, Interval, Timeout, StartPeriod, StartInterval, Retries: retries };
}

function configOf({ hostname, image, process, service, labels, healthcheck }: InspectInput): Json {
  return {
    Hostname: hostname,
    Domainname: service.domainname ?? "",
    User: process.user ?? "",
    ExposedPorts: Object.fromEntries(process.exposedPorts.map(({ port, protocol }) => [`${port}/${protocol}`, {}])),
    Tty: service.tty,
    OpenStdin: service.stdinOpen,
    Env: process.declaredEnv,
    Cmd: process.command.length > 0 ? process.command : null,
    Entrypoint: process.entrypoint.length > 0 ? process.entrypoint : null,
    Image: image.reference,
    Volumes: process.volumes.length > 0 ? Object.fromEntries(process.volumes.map((path) => [path, {}])) : null,
    WorkingDir: process.cwd,
    Labels: labels,
    StopSignal: process.stopSignal,
    StopTimeout: Math.ceil(service.stopGraceMs / 1000),
    ...(healthcheck === null ? {} : { Healthcheck: healthcheckOf(healthcheck) }),
  };
}

function hostConfigOf({ service, mounts, networkMode, networks, autoRemove }: InspectInput): Json {
  const binds = mounts.filter(({ type, image }) => type !== "tmpfs" && image === undefined);
  const tmpfs = mounts.filter(({ type }) => type === "tmpfs");
  return {
    Binds: binds.length > 0 ? binds.map((mount) => `${mount.volume ?? mount.source}:${mount.target}:${modeOf(mount)}`) : null,
    LogConfig: logConfigOf(service.logging),
    NetworkMode: networkMode ?? networks[0]?.name ?? "none",
    PortBindings: portBindingsOf(service),
    RestartPolicy: { Name: service.restart.name, MaximumRetryCount: service.restart.limit },
    AutoRemove: autoRemove,
    CapAdd: orNull(service.capAdd),
    CapDrop: orNull(service.capDrop),
    Dns: service.dns,
    DnsOptions: service.dnsOptions,
    DnsSearch: service.dnsSearch,
    ExtraHosts: orNull(service.extraHosts.map(({ name, address }) => `${name}:${address}`)),
    PublishAllPorts: false,
    ReadonlyRootfs: service.readOnly,
    ...(tmpfs.length > 0 ? { Tmpfs: Object.fromEntries(tmpfs.map((mount) => [mount.target, tmpfsOptions(mount)])) } : {}),
    Init: service.init,
    ...wallsOf(service.isolation),
    ...devicesOf(service.devices),
    ...limitsOf(service.resources),
  };
}

function logConfigOf(logging: Logging | null): Json {
  if (logging === null) return { Type: "k8s-file", Config: {} };
  const { driver, maxSize, maxFile } = logging;
  return { Type: driver, Config: maxSize === null ? {} : { "max-file": String(maxFile), "max-size": String(maxSize) } };
}

function mountOf(mount: InspectMount): Json {
  return {
    Type: mount.image === undefined ? mount.type : "image",
    ...(mount.volume === null ? {} : { Name: mount.volume }),
    Source: mount.source,
    Destination: mount.target,
    ...(mount.type === "volume" ? { Driver: "local" } : {}),
    Mode: mount.type === "tmpfs" ? tmpfsOptions(mount) : modeOf(mount),
    RW: !mount.readOnly,
    Propagation: mount.type === "bind" ? mount.propagation : "",
  };
}

const modeOf = ({ readOnly }: InspectMount): string => (readOnly ? "ro" : "rw");

const tmpfsOptions = (mount: InspectMount): string => [...(mount.readOnly ? ["ro"] : []), ...mount.options].join(",");

/** What was asked for: an empty HostPort is "any that is free", an empty HostIp "every address". */
function portBindingsOf(service: Service): Json {
  return groupPorts(
    service.ports.map(({ target, protocol, host, published }) => ({
      key: `${target}/${protocol}`,
      binding: { HostIp: host, HostPort: published === null ? "" : rangeOf(published) },
    })),
  );
}

/** What is open: every exposed port, `null` where nothing leads to it. */
function networkSettingsOf(input: InspectInput): Json {
  const { process, ports, networks } = input;
  const open = groupPorts(
    ports.map(({ target, protocol, host, published }) => ({
      key: `${target}/${protocol}`,
      binding: { HostIp: host, HostPort: String(published) },
    })),
  );
  const exposed = Object.fromEntries(process.exposedPorts.map(({ port, protocol }) => [`${port}/${protocol}`, null]));
  const first = networks[0];
  return {
    Ports: { ...exposed, ...open },
    IPAddress: first?.ipv4?.address ?? "",
    IPPrefixLen: first?.ipv4?.prefixLength ?? 0,
    Gateway: first?.ipv4?.gateway ?? "",
    GlobalIPv6Address: first?.ipv6?.address ?? "",
    GlobalIPv6PrefixLen: first?.ipv6?.prefixLength ?? 0,
    IPv6Gateway: first?.ipv6?.gateway ?? "",
    MacAddress: first?.mac ?? "",
    Networks: Object.fromEntries(networks.map((network) => [network.name, endpointOf(input, network)])),
  };
}

function endpointOf({ service }: InspectInput, network: InspectNetwork): Json {
  const { aliases, wanted, ipv4, ipv6, mac, names } = network;
  const { links } = service;
  const config = {
    ...(wanted.ipv4Address == null ? {} : { IPv4Address: wanted.ipv4Address }),
    ...(wanted.ipv6Address == null ? {} : { IPv6Address: wanted.ipv6Address }),
    ...(wanted.linkLocalAddresses === undefined ? {} : { LinkLocalIPs: wanted.linkLocalAddresses }),
  };
  return {
    IPAMConfig: Object.keys(config).length === 0 ? null : config,
    Links: links.length === 0 ? null : links.map(({ of, alias }) => `${of}:${alias}`),
    Aliases: aliases,
    DNSNames: names,
    GwPriority: wanted.gatewayPriority ?? 0,
    IPAddress: ipv4?.address ?? "",
    IPPrefixLen: ipv4?.prefixLength ?? 0,
    Gateway: ipv4?.gateway ?? "",
    GlobalIPv6Address: ipv6?.address ?? "",
    GlobalIPv6PrefixLen: ipv6?.prefixLength ?? 0,
    IPv6Gateway: ipv6?.gateway ?? "",
    MacAddress: mac ?? "",
  };
}

interface Bound {
  readonly key: string;
  readonly binding: { readonly HostIp: string; readonly HostPort: string };
}

function groupPorts(bound: readonly Bound[]): Readonly<Record<string, readonly Bound["binding"][]>> {
  const groups = new Map<string, Bound["binding"][]>();
  for (const { key, binding } of bound) groups.set(key, [...(groups.get(key) ?? []), binding]);
  return Object.fromEntries(groups);
}

const rangeOf = ({ from, to }: { readonly from: number; readonly to: number }): string => (from === to ? String(from) : `${from}-${to}`);

const orNull = (list: readonly string[]): readonly string[] | null => (list.length > 0 ? list : null);
