/** Devices of the machine that this process runs on, and what vendors say of them. */
import { readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { extname, join } from "node:path";
import type { Devices, MappedDevice } from "../../model/devices.ts";
import { Failure } from "../../model/diagnostic.ts";
import type { Concern } from "../../model/observed.ts";
import type { Service } from "../../model/service.ts";
import { type CdiEdits, type CdiNode, type CdiSpec, editsFor, mergeHooks, namesFor, parseCdi } from "./cdi.ts";
import { type GivenDevices, NOTHING_GIVEN, ociRule } from "./devices.ts";
import { deviceNumbers } from "./limits-here.ts";
import type { OciDevice, OciDeviceRule, OciMount } from "./oci-spec.ts";

/** What vendors write, and what is written anew at each boot, which counts more. */
const CDI_DIRECTORIES = ["/etc/cdi", "/var/run/cdi"];

/** Everything that a service's devices bring along. Throws E_MACHINE when one of them is not there. */
export async function devicesHere({ name, devices, isolation }: Pick<Service, "name" | "devices" | "isolation">): Promise<GivenDevices> {
  const { mapped, rules, named, requested } = devices;
  if (!isolation.privileged && [mapped, rules, named, requested].every((list) => list.length === 0)) return NOTHING_GIVEN;
  const found = await find(devices);
  const [problem] = found.problems;
  if (problem !== undefined)
    throw new Failure({
      code: "E_MACHINE",
      message: `service ${name} ${problem.message}`,
      ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    });
  const own = new Map(isolation.privileged ? hostDevices("/dev").map((device) => [device.path, device]) : []);
  for (const { device } of found.nodes) own.set(device.path, device);
  return {
    nodes: [...own.values()],
    rules: [...found.nodes.map(({ rule }) => rule), ...rules.map(ociRule)],
    mounts: found.edits.flatMap(({ mounts }) => mounts.map(mountOf)),
    env: found.edits.flatMap(({ env }) => env),
    groups: found.edits.flatMap(({ groups }) => groups),
    hooks: mergeHooks(found.edits.map(({ hooks }) => hooks)),
  };
}

/** Devices that services ask for and that this machine has not. */
export async function deviceConcerns(services: readonly Service[]): Promise<readonly Concern[]> {
  const all = await Promise.all(
    services.map(async ({ name, devices }) =>
      (await find(devices)).problems.map(
        ({ attribute, message, hint }): Concern => ({
          service: name,
          attribute,
          code: "E_MACHINE",
          message: `service ${name} ${message}`,
          ...(hint === undefined ? {} : { hint }),
        }),
      ),
    ),
  );
  return all.flat();
}

interface Found {
  readonly nodes: readonly { readonly device: OciDevice; readonly rule: OciDeviceRule }[];
  readonly edits: readonly CdiEdits[];
  readonly problems: readonly DeviceProblem[];
}

interface DeviceProblem {
  readonly attribute: string;
  readonly message: string;
  readonly hint?: string;
}

async function find({ mapped, named, requested }: Devices): Promise<Found> {
  const problems: DeviceProblem[] = [];
  const nodes = mapped.flatMap((device) => {
    const those = mappedDevices(device);
    if (those.length === 0)
      problems.push({ attribute: "devices", message: `wants the device ${device.source}, which this machine does not have` });
    return those;
  });
  if (named.length === 0 && requested.length === 0) return { nodes, edits: [], problems };
  const specs = await cdiSpecs();
  const names: string[] = [...named];
  for (const request of requested) {
    const those = namesFor(request, specs);
    if (typeof those !== "string") names.push(...those);
    else
      problems.push({
        attribute: "gpus",
        message: `wants a ${those}, and no file in ${CDI_DIRECTORIES.join(" or ")} describes one`,
        hint: "for NVIDIA: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
      });
  }
  const { edits, missing } = editsFor(names, specs);
  for (const name of missing)
    problems.push({
      attribute: named.includes(name) ? "devices" : "gpus",
      message: `wants the device ${name}, which no file in ${CDI_DIRECTORIES.join(" or ")} describes`,
      hint: known(specs) ?? "vendors' tools write these files (nvidia-ctk cdi generate)",
    });
  const theirs = edits.flatMap((edit) =>
    edit.nodes.flatMap((node) => {
      const made = cdiDevice(node);
      if (made === null)
        problems.push({ attribute: "devices", message: `wants the device ${node.hostPath}, which this machine does not have` });
      return made === null ? [] : [made];
    }),
  );
  return { nodes: [...nodes, ...theirs], edits, problems };
}

function known(specs: readonly CdiSpec[]): string | null {
  const names = specs.flatMap(({ kind, devices }) => [...devices.keys()].map((device) => `${kind}=${device}`));
  return names.length === 0 ? null : `there are ${names.slice(0, 6).join(", ")}${names.length > 6 ? ", …" : ""}`;
}

/** Every spec there is, those that count more later. Throws E_MACHINE for a file that is none. */
async function cdiSpecs(): Promise<readonly CdiSpec[]> {
  const files = CDI_DIRECTORIES.flatMap((directory) =>
    (ifThere(() => readdirSync(directory)) ?? [])
      .filter((name) => [".json", ".yaml", ".yml"].includes(extname(name)))
      .sort()
      .map((name) => join(directory, name)),
  );
  return Promise.all(files.map(async (path) => readCdi(path, readFileSync(path, "utf8"))));
}

async function readCdi(path: string, text: string): Promise<CdiSpec> {
  try {
    const value: unknown = path.endsWith(".json") ? JSON.parse(text) : (await import("yaml")).parse(text);
    return parseCdi(path, value);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Failure(
      {
        code: "E_MACHINE",
        message: `${path} describes no devices: ${error.message.split("\n")[0]}`,
        hint: "write it anew with the vendor's tool",
      },
      { cause: error },
    );
  }
}

/** The device, or every device below the directory. None: it is not there. */
function mappedDevices({ source, target, access }: MappedDevice): Found["nodes"] {
  const stats = ifThere(() => statSync(source));
  if (stats === null) return [];
  const those = stats.isDirectory()
    ? hostDevices(source).map((device) => ({ ...device, path: `${target}${device.path.slice(source.length)}` }))
    : [deviceOf(target, stats)].flatMap((device) => device ?? []);
  return those.map((device) => ({ device, rule: ruleFor(device, access) }));
}

function cdiDevice(node: CdiNode): Found["nodes"][number] | null {
  const there = ifThere(() => statSync(node.hostPath));
  const host = there === null ? null : deviceOf(node.path, there);
  const type = node.type ?? host?.type ?? null;
  const [major, minor] = [node.major ?? host?.major ?? null, node.minor ?? host?.minor ?? null];
  if (type === null || major === null || minor === null) return null;
  const device: OciDevice = {
    path: node.path,
    type,
    major,
    minor,
    fileMode: node.fileMode ?? host?.fileMode ?? 0o666,
    uid: node.uid ?? host?.uid ?? 0,
    gid: node.gid ?? host?.gid ?? 0,
  };
  return { device, rule: ruleFor(device, node.access) };
}

function ruleFor({ type, major, minor }: OciDevice, access: string): OciDeviceRule {
  return { allow: true, type, major, minor, access };
}

function mountOf({ hostPath, containerPath, type, options }: CdiEdits["mounts"][number]): OciMount {
  return {
    destination: containerPath,
    type: type ?? "bind",
    source: hostPath,
    options: options.length === 0 ? ["ro", "nosuid", "nodev", "rbind"] : options,
  };
}

/** What is mounted below /dev, belongs to other containers, or is made anew for each. */
const PASSED_OVER: ReadonlySet<string> = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console"]);

/** Every device below a directory, by its path. Links are passed over. */
function hostDevices(directory: string): readonly OciDevice[] {
  return (ifThere(() => readdirSync(directory, { withFileTypes: true })) ?? []).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (PASSED_OVER.has(entry.name)) return [];
    if (entry.isDirectory()) return hostDevices(path);
    if (!entry.isBlockDevice() && !entry.isCharacterDevice()) return [];
    const stats = ifThere(() => statSync(path));
    const device = stats === null ? null : deviceOf(path, stats);
    return device === null ? [] : [device];
  });
}

function deviceOf(path: string, stats: Stats): OciDevice | null {
  const type = stats.isBlockDevice() ? "b" : stats.isCharacterDevice() ? "c" : null;
  if (type === null) return null;
  return { path, type, ...deviceNumbers(stats.rdev), fileMode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid };
}

function ifThere<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENXIO") return null;
    throw error;
  }
}
