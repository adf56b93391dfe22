/** Devices of this machine that containers of a service may use. */
export interface Devices {
  /** In the order of the file; of two at one place in the container the later one counts. */
  readonly mapped: readonly MappedDevice[];
  /** Rules beyond those that come with the devices, as the kernel has them. */
  readonly rules: readonly DeviceRule[];
  /** Qualified names of the Container Device Interface: `nvidia.com/gpu=all`. */
  readonly named: readonly string[];
  /** Devices by what they can do (`gpus`, `deploy.resources.reservations.devices`). */
  readonly requested: readonly DeviceRequest[];
}

export interface MappedDevice {
  /** Absolute path on the host; of a directory every device in it is meant. */
  readonly source: string;
  readonly target: string;
  /** Any of `r`, `w` and `m`. */
  readonly access: string;
}

export interface DeviceRule {
  /** `a`: both kinds. */
  readonly type: "a" | "b" | "c";
  /** `null`: any. */
  readonly major: number | null;
  readonly minor: number | null;
  readonly access: string;
}

export interface DeviceRequest {
  /** Name of a driver, or `null`: any that can do it. */
  readonly driver: string | null;
  /** Devices by the driver's own names; empty: by the count. */
  readonly ids: readonly string[];
  /** -1: all. */
  readonly count: number;
  readonly capabilities: readonly string[];
}

export const NO_DEVICES: Devices = { mapped: [], rules: [], named: [], requested: [] };
