/** Limits on the machine that this process runs on. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { Concern } from "../../model/observed.ts";
import { hasLimits, type Resources } from "../../model/resources.ts";
import type { Service } from "../../model/service.ts";
import { capabilitiesIn } from "./capabilities.ts";
import { type LimitFacts, parseLimitFacts } from "./limit-facts.ts";
import { fitted } from "./limits.ts";
import type { DeviceNumbers } from "./resources.ts";
import { cgroupMode } from "./runtime.ts";

/** A service's limits as this machine can keep them. */
export function limitsHere(asked: Resources): Resources {
  return hasLimits(asked) ? fitted(asked, readLimitFacts()).resources : asked;
}

/** What this machine makes of the limits of services, where it is not what they ask for. */
export function limitConcerns(services: readonly Service[]): readonly Concern[] {
  let facts: LimitFacts | undefined;
  return services.flatMap(({ name, resources }) => {
    if (!hasLimits(resources)) return [];
    facts ??= readLimitFacts();
    const devices = [...blockPaths(resources)].filter((path) => blockNumbers(path) === null);
    return [
      ...fitted(resources, facts).concerns.map(({ attribute, isFatal, message, hint }) => ({
        service: name,
        attribute,
        code: isFatal ? ("E_MACHINE" as const) : ("W_MACHINE" as const),
        message: `service ${name} ${message}`,
        ...(hint === undefined ? {} : { hint }),
      })),
      ...devices.map((path) => ({
        service: name,
        attribute: "blkio_config",
        code: "E_MACHINE" as const,
        message: `service ${name} limits its use of ${path}, which is no block device of this machine`,
        hint: "lsblk lists those there are",
      })),
    ];
  });
}

/** Numbers of the block devices that limits name, of those there are. */
export function blocksHere(resources: Resources): ReadonlyMap<string, DeviceNumbers> {
  return new Map(
    [...blockPaths(resources)].flatMap((path) => {
      const numbers = blockNumbers(path);
      return numbers === null ? [] : [[path, numbers]];
    }),
  );
}

/** The two numbers in a device's `st_rdev`, as the kernel packs them. */
export function deviceNumbers(rdev: number): DeviceNumbers {
  return { major: (rdev >> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) };
}

function readLimitFacts(): LimitFacts {
  const status = readIfThere("/proc/self/status") ?? "";
  const held = capabilitiesIn(/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0");
  return parseLimitFacts({ cgroups: cgroupMode(), read: readIfThere, list: listIfThere, mayRaise: held.has("SYS_RESOURCE") });
}

function blockPaths({ blkio }: Resources): ReadonlySet<string> {
  const all = [blkio.weightDevice, blkio.readBps, blkio.writeBps, blkio.readIops, blkio.writeIops];
  return new Set(all.flat().map(({ path }) => path));
}

function blockNumbers(path: string): DeviceNumbers | null {
  const stats = ifThere(() => statSync(path));
  return stats?.isBlockDevice() === true ? deviceNumbers(stats.rdev) : null;
}

const readIfThere = (path: string): string | null => ifThere(() => readFileSync(path, "utf8"));

const listIfThere = (path: string): readonly string[] => ifThere(() => readdirSync(path)) ?? [];

function ifThere<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
}
