/** `devices`, `device_cgroup_rules`, `gpus` and the devices of `deploy.resources.reservations`. */
import { type DeviceRequest, type DeviceRule, type Devices, type MappedDevice, NO_DEVICES } from "../../model/devices.ts";
import { child, itemsOf, type Node, textOf } from "../node.ts";
import { step } from "../path.ts";
import { quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** Domain/class=name, as the Container Device Interface has it. */
const QUALIFIED =
  /^[a-zA-Z0-9](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?\/[a-zA-Z](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?=[a-zA-Z0-9](?:[a-zA-Z0-9_.:-]*[a-zA-Z0-9])?$/;

export function readDevices(service: Node, scope: Scope): Devices {
  const reserved = child(child(child(child(service, "deploy"), "resources"), "reservations"), "devices");
  const [own, rules, gpus] = ["devices", "device_cgroup_rules", "gpus"].map((key) => child(service, key));
  if (own === undefined && rules === undefined && gpus === undefined && reserved === undefined) return NO_DEVICES;
  const mapped: MappedDevice[] = [];
  const named: string[] = [];
  for (const [index, item] of itemsOf(own).entries()) {
    const source = textOf(child(item, "source")) ?? "";
    const target = textOf(child(item, "target")) ?? source;
    if (source === target && QUALIFIED.test(source)) named.push(source);
    else mapped.push(...readMapped(item, { path: step(`${scope.path}.devices`, index), scope }));
  }
  return {
    mapped,
    named: [...new Set(named)],
    rules: itemsOf(rules).flatMap((item, index) => readRule(item, { path: step(`${scope.path}.device_cgroup_rules`, index), scope })),
    requested: [
      ...itemsOf(gpus).flatMap((item, index) => readRequest(item, { path: step(`${scope.path}.gpus`, index), scope, gpu: true })),
      ...itemsOf(reserved).flatMap((item, index) =>
        readRequest(item, { path: step(`${scope.path}.deploy.resources.reservations.devices`, index), scope, gpu: false }),
      ),
    ],
  };
}

interface At {
  readonly path: string;
  readonly scope: Scope;
}

function readMapped(item: Node, { path, scope }: At): readonly MappedDevice[] {
  const source = textOf(child(item, "source"));
  if (source === null) return []; // the schema has said so
  const target = textOf(child(item, "target")) ?? source;
  const access = textOf(child(item, "permissions")) ?? "rwm";
  const isPath = (text: string): boolean => text.startsWith("/") && text !== "/" && !/[\u0000-\u001f]/.test(text);
  if (!isPath(source) || !isPath(target)) {
    refuse(scope, {
      place: item.place,
      message: `\`${path}\` is ${quote(isPath(source) ? target : source)}: it must be the absolute path of a device, or a name such as vendor.com/class=name`,
      hint: "/dev/ttyUSB0, or /dev/ttyUSB0:/dev/modem:rw",
    });
    return [];
  }
  if (/^(?!.*(.).*\1)[rwm]{1,3}$/.test(access)) return [{ source, target, access }];
  refuse(scope, { place: item.place, message: `\`${path}\` has the permissions ${quote(access)}: they are any of r, w and m` });
  return [];
}

function readRule(item: Node, { path, scope }: At): readonly DeviceRule[] {
  const text = textOf(item) ?? "";
  const [, type, major = "*", minor = "*", access = ""] = /^([abc]) (\d{1,7}|\*):(\d{1,7}|\*) ([rwm]{1,3})$/.exec(text) ?? [];
  const number = (digits: string): number | null => (digits === "*" ? null : Number(digits));
  if (type === "a" || type === "b" || type === "c") return [{ type, major: number(major), minor: number(minor), access }];
  refuse(scope, {
    place: item.place,
    message: `\`${path}\` is ${quote(text)}: it must be a kind, numbers and permissions`,
    hint: "such as c 189:* rmw",
  });
  return [];
}

function readRequest(item: Node, { path, scope, gpu }: At & { readonly gpu: boolean }): readonly DeviceRequest[] {
  if (item.kind !== "mapping") return [];
  const own = itemsOf(child(item, "capabilities")).map((capability) => textOf(capability) ?? "");
  const count = textOf(child(item, "count"));
  const ids = itemsOf(child(item, "device_ids")).map((id) => textOf(id) ?? "");
  if (count !== null && count !== "all" && !/^-?\d{1,4}$/.test(count)) {
    refuse(scope, { place: item.place, message: `\`${path}.count\` is ${quote(count)}: it must be a number or \`all\`` });
    return [];
  }
  if (count !== null && ids.length > 0) {
    refuse(scope, {
      code: "E_CONFLICT",
      place: item.place,
      message: `\`${path}\` has both \`count\` and \`device_ids\``,
      hint: "keep one of them",
    });
    return [];
  }
  const driver = textOf(child(item, "driver"));
  return [
    {
      driver: driver === "" ? null : driver,
      ids,
      count: ids.length > 0 ? 0 : count === null || count === "all" ? -1 : Number(count),
      capabilities: [...new Set(gpu ? [...own, "gpu"] : own)],
    },
  ];
}
