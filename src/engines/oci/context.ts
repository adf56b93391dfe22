import { readFileSync } from "node:fs";
import { arch, release } from "node:os";
import { join } from "node:path";
import type { ImageStore } from "../../images/images.ts";
import { coalesce } from "../../lib/coalesce.ts";
import { withLock } from "../../lib/file-lock.ts";
import { Failure } from "../../model/diagnostic.ts";
import type { CgroupManager } from "./cgroup-manager.ts";
import { runtimeNamed } from "./isolation-here.ts";
import { type KernelFacts, parseKernelFacts } from "./kernel-facts.ts";
import type { Layout } from "./layout.ts";
import { syncNetwork } from "./network/sync.ts";
import type { ContainerRecord } from "./records.ts";
import { findProgram, findRuntime, type Runtime } from "./runtime.ts";

/** What every part of the engine works with. */
export interface Context {
  readonly layout: Layout;
  readonly store: ImageStore;
  /** Brings the packet filter and the hosts files in line with what runs. Requests made at once share a run. */
  readonly syncNetwork: () => Promise<void>;
  /** Projects that lost a container by this process: what looked after them may have nothing left to do. */
  readonly emptied: Set<string>;
  /** Who makes the control groups of containers that are made now. */
  readonly cgroups: CgroupManager;
  /** Looked up at the first use; throws E_ENGINE_INCOMPLETE. */
  readonly tools: () => Tools;
}

export interface Tools {
  readonly runtime: Runtime;
  readonly conmon: string;
  /** A static init for services with `init: true`, which any image can run; `null` when there is none. */
  readonly init: string | null;
  readonly facts: KernelFacts;
}

export function createContext(layout: Layout, store: ImageStore, cgroups: CgroupManager = "cgroupfs"): Context {
  let tools: Tools | undefined;
  return {
    layout,
    store,
    emptied: new Set(),
    cgroups,
    syncNetwork: coalesce(() =>
      withLock(join(layout.locks, "wiring.lock"), { purpose: "publish ports", timeoutMs: 60_000 }, () => syncNetwork(layout)),
    ),
    tools: () => {
      tools ??= findTools();
      return tools;
    },
  };
}

/** The runtime of a container: the one that its service asks for, else the engine's choice. Throws E_MACHINE. */
export function runtimeOf(context: Context, { spec }: ContainerRecord): Runtime {
  const { runtime } = spec.service.isolation;
  return runtime === null ? context.tools().runtime : runtimeNamed(runtime);
}

function findTools(): Tools {
  if (process.geteuid?.() !== 0) {
    throw new Failure({
      code: "E_NO_PRIVILEGE",
      message: "the oci engine needs root to make namespaces and mounts",
      hint: "run it with sudo, or choose another engine with --engine",
    });
  }
  const runtime = findRuntime();
  const conmon = findProgram("conmon");
  const missing = [
    ...(runtime === null ? ["runc"] : []),
    ...(conmon === null ? ["conmon"] : []),
    ...(findProgram("nft") === null ? ["nftables"] : []),
  ];
  if (runtime === null || conmon === null || missing.length > 0) {
    throw new Failure({
      code: "E_ENGINE_INCOMPLETE",
      message: `the oci engine misses ${missing.join(", ")} on this machine`,
      hint: `apt-get install ${missing.join(" ")} (wharf doctor checks everything)`,
    });
  }
  return { runtime, conmon, init: findProgram("tini-static") ?? findProgram("catatonit"), facts: readKernelFacts() };
}

/** What this kernel and this process's own rights allow. */
export function readKernelFacts(): KernelFacts {
  const read = (path: string): string => readFileSync(path, "utf8");
  const architecture = { x64: "amd64", ia32: "386" }[arch()] ?? arch();
  return parseKernelFacts({
    release: release(),
    architecture,
    status: read("/proc/self/status"),
    limits: read("/proc/self/limits"),
    mountinfo: read("/proc/self/mountinfo"),
    nrOpen: read("/proc/sys/fs/nr_open"),
  });
}
