/** What of a service's walls its containers are made from: rows of the table of `change.ts`, each by the spec's own name. */
import { type Isolation, type Sharing, sharingText } from "../model/isolation.ts";
import type { Json } from "../model/json.ts";
import { type Fixed, NAMESPACES, RIGHTS, RUNTIME } from "./fixed.ts";
import { digestOf } from "./hash.ts";

export interface IsolationRow {
  readonly key: string;
  readonly record: (service: { readonly isolation: Isolation }) => Json;
  readonly fixed: Fixed;
}

export const ISOLATION: readonly IsolationRow[] = [
  row("privileged", RIGHTS, (i) => (i.privileged ? true : null)),
  row("security_opt", RIGHTS, (i) => list(securityOptions(i))),
  row("pid", NAMESPACES, (i) => shared(i.pid)),
  row("ipc", NAMESPACES, (i) => shared(i.ipc)),
  row("uts", NAMESPACES, (i) => (i.uts === "private" ? null : i.uts)),
  row("cgroup", NAMESPACES, (i) => i.cgroup),
  row("cgroup_parent", RUNTIME, (i) => i.cgroupParent),
  row("group_add", RIGHTS, (i) => list(i.groups)),
  row("sysctls", NAMESPACES, (i) => some(i.sysctls)),
  row("runtime", RUNTIME, (i) => i.runtime),
  row("annotations", RUNTIME, (i) => some(i.annotations)),
];

function row(key: string, fixed: Fixed, value: (isolation: Isolation) => Json): IsolationRow {
  return { key, record: ({ isolation }) => value(isolation), fixed };
}

/** A profile by what it says: its file may lie elsewhere. */
function securityOptions({ noNewPrivileges, seccomp, appArmor, labels, unmask }: Isolation): readonly string[] {
  return [
    ...(noNewPrivileges ? ["no-new-privileges"] : []),
    ...(seccomp === "default"
      ? []
      : [`seccomp=${seccomp === "unconfined" ? seccomp : digestOf(JSON.parse(JSON.stringify(seccomp.profile)))}`]),
    ...(appArmor === null ? [] : [`apparmor=${appArmor}`]),
    ...labels.map((label) => `label=${label}`),
    ...unmask.map((path) => `unmask=${path}`),
  ];
}

function shared(sharing: Sharing): Json {
  return sharing.type === "private" ? null : sharingText(sharing);
}

const list = (items: readonly string[]): Json => (items.length === 0 ? null : items);

const some = (map: Readonly<Record<string, string>>): Json => (Object.keys(map).length === 0 ? null : map);
