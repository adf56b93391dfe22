/** What of a service's walls its containers are made from: rows of the table of `change.ts`, each by the spec's own name. */
import { type Isolation, type Sharing, sharingText } from "../model/isolation.ts";
import type { Json } from "../model/json.ts";
import { digestOf } from "./hash.ts";

export interface IsolationRow {
  readonly key: string;
  readonly record: (service: { readonly isolation: Isolation }) => Json;
}

export const ISOLATION: readonly IsolationRow[] = [
  row("privileged", (i) => (i.privileged ? true : null)),
  row("security_opt", (i) => list(securityOptions(i))),
  row("pid", (i) => shared(i.pid)),
  row("ipc", (i) => shared(i.ipc)),
  row("uts", (i) => (i.uts === "private" ? null : i.uts)),
  row("cgroup", (i) => i.cgroup),
  row("cgroup_parent", (i) => i.cgroupParent),
  row("group_add", (i) => list(i.groups)),
  row("sysctls", (i) => some(i.sysctls)),
  row("runtime", (i) => i.runtime),
  row("annotations", (i) => some(i.annotations)),
];

function row(key: string, value: (isolation: Isolation) => Json): IsolationRow {
  return { key, record: ({ isolation }) => value(isolation) };
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
