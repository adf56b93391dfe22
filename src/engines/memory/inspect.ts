import type { Json } from "../../model/json.ts";
import type { ObservedContainer, PublishedPort } from "../../model/observed.ts";
import type { Mount, Service } from "../../model/service.ts";
import { mergeCommand, mergeEnvironment, mergeExposed } from "./merge.ts";
import type { Made } from "./world.ts";

/** Docker's inspect document of a container, as far as it can be known of one without a process and without files. */
export function containerDocument(container: ObservedContainer, made: Made): Json {
  const [path = "", ...args] = container.argv;
  const { service } = made.spec;
  return {
    Id: container.id,
    Created: container.createdAt,
    Path: path,
    Args: args,
    State: stateOf(container),
    Image: container.image.id,
    Name: `/${container.name}`,
    RestartCount: 0,
    Driver: "memory",
    Platform: service.platform?.split("/")[0] ?? "linux",
    HostConfig: {
      NetworkMode: modeOf(service) ?? container.networks[0]?.name ?? "none",
      PortBindings: bindings(service.ports.map(({ published, ...port }) => ({ ...port, published: published?.from ?? 0 }))),
      RestartPolicy: { Name: service.restart.name, MaximumRetryCount: service.restart.limit },
      AutoRemove: made.spec.autoRemove === true,
      CapAdd: service.capAdd,
      CapDrop: service.capDrop,
      Dns: service.dns,
      DnsOptions: service.dnsOptions,
      DnsSearch: service.dnsSearch,
      ExtraHosts: service.extraHosts.map(({ name, address }) => `${name}:${address}`),
      Privileged: false,
      ReadonlyRootfs: service.readOnly,
      Init: service.init,
    },
    Mounts: [...made.spec.mounts, ...declared(container, made)].map((mount) => mountOf(container, mount)),
    Config: configOf(container, made),
    NetworkSettings: {
      Ports: bindings(container.ports),
      Networks: Object.fromEntries(
        made.spec.networks.map(({ name, aliases, ipv4Address }) => [name, { Aliases: aliases, IPAddress: ipv4Address ?? "" }]),
      ),
    },
  };
}

function modeOf({ networkMode: mode }: Service): string | null {
  if (mode == null || mode.type === "network") return null; // a file of an older version says nothing of it
  return "of" in mode ? `${mode.type}:${mode.of}` : mode.type;
}

/** How Docker writes "never". */
const NEVER = "0001-01-01T00:00:00Z";

function stateOf({ state, exitCode, startedAt, finishedAt }: ObservedContainer): Json {
  return {
    Status: state,
    Running: state === "running" || state === "paused" || state === "restarting",
    Paused: state === "paused",
    Restarting: state === "restarting",
    OOMKilled: false,
    Dead: state === "dead",
    Pid: 0,
    ExitCode: state === "exited" ? (exitCode ?? 0) : 0,
    Error: "",
    StartedAt: startedAt ?? NEVER,
    FinishedAt: finishedAt ?? NEVER,
  };
}

function configOf({ id, image, labels }: ObservedContainer, { spec: { service }, config }: Made): Json {
  const { entrypoint, command } = mergeCommand(service, config);
  return {
    Hostname: service.hostname ?? id.slice(0, 12),
    User: service.user ?? config.User ?? "",
    ExposedPorts: Object.fromEntries(mergeExposed(service, config).map((port) => [port, {}])),
    Tty: service.tty,
    OpenStdin: service.stdinOpen,
    Env: Object.entries(mergeEnvironment(service, config)).map(([key, value]) => `${key}=${value}`),
    Cmd: command.length > 0 ? command : null,
    Entrypoint: entrypoint.length > 0 ? entrypoint : null,
    Image: image.reference,
    WorkingDir: service.workingDir ?? config.WorkingDir ?? "/",
    Labels: { ...config.Labels, ...labels },
    StopSignal: service.stopSignal ?? config.StopSignal ?? "SIGTERM",
    StopTimeout: Math.ceil(service.stopGraceMs / 1000),
  };
}

/** Volumes that the image asked for. */
function declared({ volumes }: ObservedContainer, { spec }: Made): readonly Mount[] {
  return volumes
    .filter(({ target }) => !spec.mounts.some((mount) => mount.target === target))
    .map(({ name, target }) => ({ type: "volume", source: name, target, readOnly: false, noCopy: false, subpath: null }));
}

function mountOf({ volumes }: ObservedContainer, mount: Mount): Json {
  const name = volumes.find(({ target }) => target === mount.target)?.name;
  return {
    Type: mount.type,
    ...(name === undefined ? {} : { Name: name }),
    Source: mount.type === "bind" ? mount.source : "",
    Destination: mount.target,
    Mode: mount.readOnly ? "ro" : "rw",
    RW: !mount.readOnly,
    Propagation: mount.type === "bind" ? mount.propagation : "",
  };
}

function bindings(ports: readonly PublishedPort[]): Json {
  const groups = new Map<string, Json[]>();
  for (const { target, protocol, host, published } of ports) {
    const key = `${target}/${protocol}`;
    groups.set(key, [...(groups.get(key) ?? []), { HostIp: host, HostPort: published === 0 ? "" : String(published) }]);
  }
  return Object.fromEntries(groups);
}
