import type { Json } from "../../model/json.ts";
import { formatDuration } from "../../model/quantity.ts";
import type { Service } from "../../model/service.ts";
import { child, itemsOf, type Node, textOf } from "../node.ts";
import { conditionWord } from "./depends-on.ts";
import type { ReadMount } from "./mounts.ts";
import { type LongPort, portConfig } from "./ports.ts";

export interface ConfigParts {
  /** The service but for its image. */
  readonly rest: Omit<Service, "image">;
  readonly ports: readonly LongPort[];
  readonly mounts: readonly ReadMount[];
  /** Milliseconds of `stop_grace_period`, where it is given. */
  readonly grace: number | null;
}

/** What `docker compose config --format json` prints for a service, as far as wharf acts on it. Keys in alphabetical order. */
export function serviceConfig(node: Node, { rest, ports, mounts, grace }: ConfigParts): { readonly [key: string]: Json } {
  const text = (key: string): Json | undefined => textOf(child(node, key)) || undefined;
  const flag = (value: boolean): true | undefined => (value ? true : undefined);
  const listed = (items: readonly Json[]): Json | undefined => (items.length === 0 ? undefined : items);
  const texts = (key: string): Json | undefined => listed(itemsOf(child(node, key)).map((item) => textOf(item) ?? ""));
  const replicas = child(child(node, "deploy"), "replicas");
  const dependencies = rest.dependsOn.map(
    ({ service, condition, restart, required }) =>
      [service, { condition: conditionWord(condition), ...(restart ? { restart } : {}), required }] as const,
  );
  const entries: readonly (readonly [string, Json | undefined])[] = [
    ["cap_add", texts("cap_add")],
    ["cap_drop", texts("cap_drop")],
    ["command", rest.command],
    ["container_name", rest.containerName ?? undefined],
    ["depends_on", mapped(dependencies)],
    ["deploy", replicas === undefined ? undefined : { replicas: rest.scale, resources: {}, placement: {} }],
    ["entrypoint", rest.entrypoint],
    ["environment", mapped(Object.entries(rest.environment).sort(byKey))],
    ["expose", texts("expose")],
    ["extra_hosts", listed(rest.extraHosts.map(({ name, address }) => `${name}=${address}`))],
    ["hostname", text("hostname")],
    ["image", text("image")],
    ["init", child(node, "init") === undefined ? undefined : rest.init],
    ["labels", mapped(Object.entries(rest.labels).sort(byKey))],
    ["networks", { default: null }],
    ["platform", text("platform")],
    ["ports", listed(ports.map(portConfig))],
    ["profiles", listed(rest.profiles)],
    ["pull_policy", text("pull_policy")],
    ["read_only", flag(rest.readOnly)],
    ["restart", text("restart")],
    ["scale", child(node, "scale") === undefined ? undefined : rest.scale],
    ["stdin_open", flag(rest.stdinOpen)],
    ["stop_grace_period", grace === null ? undefined : formatDuration(grace)],
    ["stop_signal", text("stop_signal")],
    ["tmpfs", texts("tmpfs")],
    ["tty", flag(rest.tty)],
    ["user", text("user")],
    ["volumes", listed(mounts.flatMap(({ config }) => (typeof config === "string" ? [] : [config])))],
    ["working_dir", text("working_dir")],
  ];
  return Object.fromEntries(entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

function mapped(entries: readonly (readonly [string, Json])[]): Json | undefined {
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
