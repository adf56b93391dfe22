/** Who makes the control groups of containers: the runtime itself, or systemd, which asks that on its machines nobody else does. */
import { existsSync } from "node:fs";
import { Failure } from "../../model/diagnostic.ts";
import type { Concern } from "../../model/observed.ts";
import type { Service } from "../../model/service.ts";

export type CgroupManager = "cgroupfs" | "systemd";

/** Where containers are that name no slice: beside the services of the machine. */
export const DEFAULT_SLICE = "system.slice";

/** Present while systemd is the first process. */
const BOOTED = "/run/systemd/system";

/** What WHARF_CGROUP_MANAGER says; `auto`: systemd where it runs. Throws E_USAGE. */
export function cgroupManager(asked: string | undefined, isBooted: () => boolean = () => existsSync(BOOTED)): CgroupManager {
  if (asked === undefined || asked === "") return "cgroupfs";
  if (asked === "cgroupfs" || asked === "systemd") return asked;
  if (asked === "auto") return isBooted() ? "systemd" : "cgroupfs";
  throw new Failure({
    code: "E_USAGE",
    message: `WHARF_CGROUP_MANAGER is ${asked}: there is no such manager of control groups`,
    hint: "cgroupfs (which it is without the variable), systemd, or auto",
  });
}

/** What keeps services from being run under systemd here. */
export function managerConcerns(
  services: readonly Service[],
  manager: CgroupManager,
  isBooted: () => boolean = () => existsSync(BOOTED),
): readonly Concern[] {
  if (manager === "cgroupfs") return [];
  return services.flatMap(({ name, isolation: { cgroupParent } }): readonly Concern[] => {
    if (!isBooted())
      return [
        {
          code: "E_MACHINE",
          service: name,
          attribute: "image",
          message: `service ${name} cannot be run: WHARF_CGROUP_MANAGER is systemd, which does not run on this machine`,
          hint: "take the variable away: control groups are made without systemd then",
        },
      ];
    if (cgroupParent === null || sliceNamed(cgroupParent) !== null) return [];
    return [
      {
        code: "E_MACHINE",
        service: name,
        attribute: "cgroup_parent",
        message: `service ${name} asks for the control group ${cgroupParent}, and systemd has slices`,
        hint: "name one, such as shop.slice",
      },
    ];
  });
}

/** The slice that a `cgroup_parent` names, `null`: none. A slash before it means nothing. */
export function sliceNamed(parent: string | null): string | null {
  const name = parent?.replace(/^\//, "") ?? "";
  return /^(?:-|[a-zA-Z0-9_.]+(?:-[a-zA-Z0-9_.]+)*)\.slice$/.test(name) ? name : null;
}

/** Where a slice's group is below a hierarchy's root: `a-b.slice` lies in `a.slice` (systemd.slice(5)). */
export function sliceDirectory(slice: string): string {
  const parts = slice
    .replace(/\.slice$/, "")
    .split("-")
    .filter(Boolean);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("-")}.slice`).join("");
}
