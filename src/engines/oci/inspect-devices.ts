import type { Devices } from "../../model/devices.ts";
import type { Json } from "../../model/json.ts";

/** Docker's keys for devices in `HostConfig`. */
export function devicesOf({ mapped, rules, named, requested }: Devices): Readonly<Record<string, Json>> {
  const requests = [
    ...requested.map(({ driver, ids, count, capabilities }) => request(driver ?? "", { ids, count, capabilities: [capabilities] })),
    ...(named.length === 0 ? [] : [request("cdi", { ids: named, count: 0, capabilities: null })]),
  ];
  return {
    Devices:
      mapped.length === 0
        ? null
        : mapped.map(({ source, target, access }) => ({ PathOnHost: source, PathInContainer: target, CgroupPermissions: access })),
    DeviceCgroupRules:
      rules.length === 0 ? null : rules.map(({ type, major, minor, access }) => `${type} ${major ?? "*"}:${minor ?? "*"} ${access}`),
    DeviceRequests: requests.length === 0 ? null : requests,
  };
}

function request(
  driver: string,
  { ids, count, capabilities }: { readonly ids: readonly string[]; readonly count: number; readonly capabilities: Json },
): Json {
  return { Driver: driver, Count: count, DeviceIDs: ids.length === 0 ? null : ids, Capabilities: capabilities, Options: {} };
}
