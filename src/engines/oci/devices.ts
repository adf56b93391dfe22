/** What a container gets with its devices, in the runtime's words. Plain data: gathered from the machine, written as it is. */
import type { DeviceRule } from "../../model/devices.ts";
import type { OciDevice, OciDeviceRule, OciHooks, OciMount } from "./oci-spec.ts";

export interface GivenDevices {
  /** Made in the container, beside those that every container has. */
  readonly nodes: readonly OciDevice[];
  /** Beside those that every container has. */
  readonly rules: readonly OciDeviceRule[];
  readonly mounts: readonly OciMount[];
  /** `K=V`, over the container's own. */
  readonly env: readonly string[];
  readonly groups: readonly number[];
  readonly hooks: OciHooks;
}

export const NOTHING_GIVEN: GivenDevices = { nodes: [], rules: [], mounts: [], env: [], groups: [], hooks: {} };

/** `null`, `zero`, `full`, `random`, `urandom`, `tty`, `console`, and every pseudo terminal. */
const USUAL: readonly (readonly [major: number, minor: number | null])[] = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
  [5, 1],
  [5, 2],
  [136, null],
];

/** What a container may do with devices: nothing but with those it has; a privileged one everything. */
export function deviceRules(given: GivenDevices, privileged: boolean): readonly OciDeviceRule[] {
  if (privileged) return [{ allow: true, access: "rwm" }];
  const usual = USUAL.map(([major, minor]) => ({
    allow: true,
    type: "c" as const,
    major,
    ...(minor === null ? {} : { minor }),
    access: "rwm",
  }));
  return [{ allow: false, access: "rwm" }, ...usual, ...given.rules];
}

/** A rule as the spec writes it; what is not in it is "any". */
export function ociRule({ type, major, minor, access }: DeviceRule): OciDeviceRule {
  return { allow: true, type, ...(major === null ? {} : { major }), ...(minor === null ? {} : { minor }), access };
}

/** An environment with other values for some of its names. */
export function withEnvironment(env: readonly string[], over: readonly string[]): readonly string[] {
  const names = new Set(over.map((entry) => entry.slice(0, entry.indexOf("="))));
  return [...env.filter((entry) => !names.has(entry.slice(0, entry.indexOf("=")))), ...over];
}
