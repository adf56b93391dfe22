import type { Isolation } from "../../model/isolation.ts";
import { child, entriesOf, type Node, textOf } from "../node.ts";
import { quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** Kernel parameters that a container can have of its own: those of the namespaces that are its own. */
export function readSysctls(service: Node, isolation: Pick<Isolation, "ipc" | "uts">, scope: Scope): Readonly<Record<string, string>> {
  const network = textOf(child(service, "network_mode")) ?? "";
  const found: Record<string, string> = {};
  for (const [written, { value, place }] of entriesOf(child(service, "sysctls"))) {
    const name = written.replaceAll("/", ".");
    const problem = problemOf(name, { network, ipc: isolation.ipc.type, uts: isolation.uts });
    if (problem === null) found[name] = textOf(value) ?? "";
    else refuse(scope, { place, message: `\`${scope.path}.sysctls\` has ${quote(written)}: ${problem.message}`, hint: problem.hint });
  }
  return found;
}

const IPC =
  /^(?:fs\.mqueue\..+|kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|auto_msgmni|msg_next_id|sem_next_id|shm_next_id))$/;

interface Namespaces {
  readonly network: string;
  readonly ipc: Isolation["ipc"]["type"];
  readonly uts: Isolation["uts"];
}

function problemOf(name: string, { network, ipc, uts }: Namespaces): { readonly message: string; readonly hint: string } | null {
  const shared = (what: string, attribute: string) => ({
    message: `it belongs to the ${what}, which is not the container's own`,
    hint: `set it where that namespace is made, or leave out \`${attribute}\``,
  });
  if (!/^[a-zA-Z0-9_-]+(?:\.[a-zA-Z0-9_*@-]+)+$/.test(name))
    return { message: "it is no name of a kernel parameter", hint: "such as net.core.somaxconn" };
  if (name.startsWith("net.")) return /^(?:host$|service:|container:)/.test(network) ? shared("network", `network_mode: ${network}`) : null;
  if (IPC.test(name)) return ipc === "host" || ipc === "service" || ipc === "container" ? shared("namespace of IPC", "ipc") : null;
  if (name === "kernel.domainname") return uts === "host" ? shared("namespace of names", "uts: host") : null;
  if (name === "kernel.hostname") return { message: "it is set by `hostname`", hint: "write `hostname:` instead" };
  return {
    message: "the kernel has one for the whole machine, which a container cannot change",
    hint: "set it on this machine with sysctl(8); a container has net.* and those of IPC of its own",
  };
}
