import { type Isolation, type Sharing, sharingText } from "../../model/isolation.ts";
import type { Json } from "../../model/json.ts";
import { closedPaths } from "./isolation.ts";

/** Docker's keys for the walls around a container in `HostConfig`. */
export function wallsOf(isolation: Isolation): Readonly<Record<string, Json>> {
  const { masked, readOnly } = closedPaths(isolation);
  const { groups, sysctls, annotations } = isolation;
  return {
    GroupAdd: groups.length === 0 ? null : groups,
    IpcMode: sharingText(isolation.ipc),
    CgroupnsMode: isolation.cgroup ?? "",
    CgroupParent: isolation.cgroupParent ?? "",
    PidMode: privateIsEmpty(isolation.pid),
    Privileged: isolation.privileged,
    SecurityOpt: securityOptions(isolation),
    ...(Object.keys(sysctls).length === 0 ? {} : { Sysctls: sysctls }),
    ...(Object.keys(annotations).length === 0 ? {} : { Annotations: annotations }),
    UTSMode: isolation.uts === "host" ? "host" : "",
    UsernsMode: "",
    Runtime: isolation.runtime ?? "",
    Isolation: "",
    MaskedPaths: masked,
    ReadonlyPaths: readOnly,
  };
}

const privateIsEmpty = (sharing: Sharing): string => (sharing.type === "private" ? "" : sharingText(sharing));

/** As Docker lists them; what it says of masked paths it says elsewhere. */
function securityOptions({ noNewPrivileges, seccomp, appArmor, labels }: Isolation): Json {
  const options = [
    ...(noNewPrivileges ? ["no-new-privileges"] : []),
    ...(seccomp === "default" ? [] : [`seccomp=${seccomp === "unconfined" ? seccomp : seccomp.path}`]),
    ...(appArmor === null ? [] : [`apparmor=${appArmor}`]),
    ...labels.map((label) => `label=${label}`),
  ];
  return options.length === 0 ? null : options;
}
