/** What a service says of the walls around its containers: security options, namespaces, groups, kernel parameters. */
import { type Isolation, PRIVATE, type Sharing, USUAL_ISOLATION } from "../../model/isolation.ts";
import { booleanOf, child, itemsOf, type Node, textOf } from "../node.ts";
import { step } from "../path.ts";
import { seccompPath } from "../security-profiles.ts";
import { listing, quote } from "../words.ts";
import { readPairs } from "./environment.ts";
import { refuse, type Scope } from "./scope.ts";
import { readSysctls } from "./sysctls.ts";

export function readIsolation(service: Node, scope: Scope): Isolation {
  if (service.kind !== "mapping" || !ATTRIBUTES.some((key) => service.entries.has(key))) return USUAL_ISOLATION;
  const at = (key: string): Node | undefined => child(service, key);
  checkMachinery(service, scope);
  const options = readOptions(at("security_opt"), scope);
  const found: Isolation = {
    ...options,
    privileged: booleanOf(at("privileged")) ?? false,
    pid: readSharing(at("pid"), { key: "pid", words: ["host", "private"], scope }),
    ipc: readSharing(at("ipc"), { key: "ipc", words: ["private", "shareable", "host", "none"], scope }),
    uts: readWord(at("uts"), { key: "uts", words: ["host", "private"], scope }) ?? "private",
    cgroup: readWord(at("cgroup"), { key: "cgroup", words: ["host", "private"], scope }),
    cgroupParent: readParent(at("cgroup_parent"), scope),
    groups: readGroups(at("group_add"), scope),
    sysctls: {},
    runtime: readRuntime(at("runtime"), scope),
    annotations: readPairs(at("annotations")),
  };
  return { ...found, sysctls: readSysctls(service, found, scope) };
}

const ATTRIBUTES = [
  "annotations",
  "cgroup",
  "cgroup_parent",
  "credential_spec",
  "group_add",
  "ipc",
  "isolation",
  "pid",
  "privileged",
  "runtime",
  "security_opt",
  "storage_opt",
  "sysctls",
  "userns_mode",
  "uts",
];

/** What only other machinery has: Windows, disks with quotas, a daemon that maps users. */
function checkMachinery(service: Node, scope: Scope): void {
  const credentials = child(service, "credential_spec");
  if (credentials !== undefined)
    refuse(scope, {
      place: credentials.place,
      message: `\`${scope.path}.credential_spec\` is of Windows: a Linux container cannot have it`,
      hint: "take it out",
    });
  const storage = child(service, "storage_opt");
  if (storage?.kind === "mapping" && storage.entries.size > 0)
    refuse(scope, {
      place: storage.place,
      message: `\`${scope.path}.storage_opt\` cannot be kept: a container's own layer has no size of its own here`,
      hint: "keep data in volumes, or in a tmpfs with a size",
    });
  const users = textOf(child(service, "userns_mode"));
  if (users !== null && users !== "" && users !== "host")
    refuse(scope, {
      place: child(service, "userns_mode")?.place ?? service.place,
      message: `\`${scope.path}.userns_mode\` is ${quote(users)}: containers have this machine's users here, which is \`host\``,
      hint: "write `host`, or leave it out",
    });
  const uts = textOf(child(service, "uts"));
  const hostname = child(service, "hostname") ?? child(service, "domainname");
  if (uts === "host" && hostname !== undefined)
    refuse(scope, {
      code: "E_CONFLICT",
      place: hostname.place,
      message: `\`${scope.path}\` has this machine's name with \`uts: host\`, and one of its own`,
      hint: "keep one of the two",
    });
}

interface Choice<Word extends string> {
  readonly key: string;
  readonly words: readonly Word[];
  readonly scope: Scope;
}

function readWord<Word extends string>(node: Node | undefined, { key, words, scope }: Choice<Word>): Word | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return null;
  const word = words.find((known) => known === text);
  if (word !== undefined) return word;
  return refuse(scope, { place: node.place, message: `\`${scope.path}.${key}\` is ${quote(text)}: it must be ${listing(words, "or")}` });
}

type Word = "private" | "host" | "shareable" | "none";

function readSharing(node: Node | undefined, { key, words, scope }: Choice<Word>): Sharing {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return PRIVATE;
  const type = words.find((known) => known === text);
  if (type !== undefined) return { type };
  const [, kind, of] = /^(service|container):([a-zA-Z0-9][a-zA-Z0-9_.-]*)$/.exec(text) ?? [];
  if (of !== undefined && (kind === "service" || kind === "container")) return { type: kind, of };
  refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.${key}\` is ${quote(text)}: it must be ${listing([...words, "service:NAME", "container:NAME"], "or")}`,
  });
  return PRIVATE;
}

/** A control group by its path; one that does not begin at the root is taken to. */
function readParent(node: Node | undefined, scope: Scope): string | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return null;
  const parts = text.split("/").filter((part) => part !== "");
  const isGood = parts.length > 0 && parts.every((part) => part !== "." && part !== ".." && /^[^\s\u0000-\u001f]{1,200}$/.test(part));
  if (isGood) return `/${parts.join("/")}`;
  return refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.cgroup_parent\` is ${quote(text)}: it cannot be the path of a control group`,
    hint: "such as /limits/shop",
  });
}

function readGroups(node: Node | undefined, scope: Scope): readonly string[] {
  const found = itemsOf(node).flatMap((item, index) => {
    const text = textOf(item) ?? "";
    if (/^[^\s:\u0000-\u001f]+$/.test(text)) return [text];
    refuse(scope, {
      place: item.place,
      message: `\`${step(`${scope.path}.group_add`, index)}\` is ${quote(text)}: it must be the name or the number of a group`,
    });
    return [];
  });
  return [...new Set(found)];
}

/** containerd's name for runc is one of Docker's as well. */
function readRuntime(node: Node | undefined, scope: Scope): string | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return null;
  if (text === "io.containerd.runc.v2") return "runc";
  if (/^\/[^\u0000-\u001f]+$|^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(text)) return text;
  return refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.runtime\` is ${quote(text)}: it must be the name or the absolute path of an OCI runtime`,
    hint: "such as runc, crun or /usr/bin/crun",
  });
}

type Options = Pick<Isolation, "noNewPrivileges" | "seccomp" | "appArmor" | "labels" | "unmask">;

/** `security_opt`: `name`, `name=value`, or `name:value` as it was written once. A later word on the same matter counts. */
function readOptions(node: Node | undefined, scope: Scope): Options {
  let found: Options = USUAL_ISOLATION;
  for (const [index, item] of itemsOf(node).entries()) {
    const text = textOf(item) ?? "";
    const [, name = "", value = null] = /^([^=:]*)(?:[=:](.*))?$/s.exec(text) ?? [];
    const option = readOption({ name, value, item }, found, scope);
    if (option === null)
      refuse(scope, {
        place: item.place,
        message: `\`${step(`${scope.path}.security_opt`, index)}\` is ${quote(text)}: it is no option of the security modules`,
        hint: `they are ${listing(["no-new-privileges", "seccomp=…", "apparmor=…", "label=…", "systempaths=unconfined", "unmask=…"], "and")}`,
      });
    else found = { ...found, ...option };
  }
  const { noNewPrivileges, seccomp, appArmor, labels, unmask } = found;
  return { noNewPrivileges, seccomp, appArmor, labels, unmask };
}

interface Option {
  readonly name: string;
  readonly value: string | null;
  readonly item: Node;
}

/** `null`: it is none. */
function readOption({ name, value, item }: Option, before: Options, scope: Scope): Partial<Options> | null {
  switch (name) {
    case "no-new-privileges":
      if (value === null || value === "true") return { noNewPrivileges: true };
      return value === "false" ? { noNewPrivileges: false } : null;
    case "seccomp":
      if (value === "unconfined") return { seccomp: "unconfined" };
      return value === null || value === "" ? null : { seccomp: readSeccomp(item, scope) };
    case "apparmor":
      return value === null || !/^[^\s\u0000-\u001f]+$/.test(value) ? null : { appArmor: value };
    case "label":
      return value === null || value === "" ? null : { labels: [...before.labels, value] };
    case "systempaths":
      return value === "unconfined" ? { unmask: ["ALL"] } : null;
    case "unmask": {
      const paths = (value ?? "").split(":").filter((path) => path !== "");
      return paths.length > 0 && paths.every((path) => path === "ALL" || path.startsWith("/"))
        ? { unmask: [...before.unmask, ...paths] }
        : null;
    }
    default:
      return null;
  }
}

/** The filter of a file that was read before; what was wrong with it is said here. */
function readSeccomp(item: Node, scope: Scope): Isolation["seccomp"] {
  const path = seccompPath(item, scope);
  const profile = path === null ? undefined : scope.seccomp.get(path);
  if (path === null || profile === undefined) return "default";
  if ("rules" in profile) return { path, profile };
  for (const problem of profile) scope.report.add(problem);
  return "default";
}
