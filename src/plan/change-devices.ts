/** What of a service's devices its containers are made from: rows of the table of `change.ts`, each by the spec's own name. */
import type { DeviceRequest, Devices } from "../model/devices.ts";
import type { Json } from "../model/json.ts";
import { type Fixed, RUNTIME } from "./fixed.ts";

export interface DeviceRow {
  readonly key: string;
  readonly record: (service: { readonly devices: Devices }) => Json;
  readonly fixed: Fixed;
}

export const DEVICES: readonly DeviceRow[] = [
  row("devices", ({ mapped, named }) => list([...named, ...mapped.map(({ source, target, access }) => `${source}:${target}:${access}`)])),
  row("device_cgroup_rules", ({ rules }) =>
    list(rules.map(({ type, major, minor, access }) => `${type} ${major ?? "*"}:${minor ?? "*"} ${access}`)),
  ),
  row("gpus", ({ requested }) => list(requested.map(requestRecord))),
];

function row(key: string, value: (devices: Devices) => Json): DeviceRow {
  return { key, record: ({ devices }) => value(devices), fixed: RUNTIME };
}

function requestRecord({ driver, ids, count, capabilities }: DeviceRequest): Json {
  return { driver, ids, count, capabilities };
}

const list = (items: readonly Json[]): Json => (items.length === 0 ? null : items);
