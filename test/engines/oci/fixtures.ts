/** A service, a machine and a container's input, so that a test states only what matters to it. */

import { DEFAULT_CAPABILITIES } from "../../../src/engines/oci/capabilities.ts";
import { NOTHING_GIVEN } from "../../../src/engines/oci/devices.ts";
import type { KernelFacts } from "../../../src/engines/oci/kernel-facts.ts";
import { mergeConfig } from "../../../src/engines/oci/process-config.ts";
import type { RuntimeSpecInput } from "../../../src/engines/oci/runtime-spec.ts";
import { USUAL_ISOLATION } from "../../../src/model/isolation.ts";
import { NO_LIMITS } from "../../../src/model/resources.ts";
import type { Service } from "../../../src/model/service.ts";
import { service as build } from "../../support/build.ts";

export function service(given: Parameters<typeof build>[0] = {}): Service {
  return build({ image: "colors", ...given });
}

/** An engine that holds what a container gets by default, on a machine of control groups version 2. */
export const KERNEL: KernelFacts = {
  version: { major: 6, minor: 1 },
  architecture: "amd64",
  cgroups: "v2",
  capabilities: new Set(DEFAULT_CAPABILITIES),
  maxOpenFiles: 524_288,
};

export function specInput(given: Partial<RuntimeSpecInput> & { readonly service?: Service } = {}): RuntimeSpecInput {
  const wanted = given.service ?? service();
  const image = { Cmd: ["/usr/bin/colors"], Env: ["PATH=/usr/bin:/bin", "COLOR=green"] };
  return {
    process: mergeConfig(image, wanted, { hostname: "0123456789ab", tty: wanted.tty }),
    user: { uid: 0, gid: 0, additionalGids: [0], home: "/root", name: "root" },
    rootfs: "/run/wharf/c/0123456789ab/rootfs",
    hostname: "0123456789ab",
    mounts: [],
    files: { hosts: "/run/wharf/f/hosts", hostname: "/run/wharf/f/hostname", resolvConf: "/run/wharf/f/resolv.conf" },
    cgroupsPath: "/wharf-0123456789ab",
    network: "private",
    initProgram: "/usr/bin/tini",
    blocks: new Map(),
    devices: NOTHING_GIVEN,
    namespaces: { pid: "private", ipc: "private" },
    sharedMemory: null,
    facts: KERNEL,
    ...given,
    service: wanted,
  };
}

/** Services that between them use everything a configuration can hold: what the golden files and the published schema are held against. */
export const EXAMPLES: Readonly<Record<string, RuntimeSpecInput>> = {
  plain: specInput(),
  hardened: specInput({
    service: service({ readOnly: true, capDrop: ["ALL"], capAdd: ["NET_BIND_SERVICE", "SYS_TIME"], user: "web" }),
    user: { uid: 1000, gid: 1000, additionalGids: [1000, 10], home: "/home/web", name: "web" },
    mounts: [
      {
        type: "tmpfs",
        source: "",
        target: "/tmp",
        readOnly: false,
        propagation: "",
        options: ["size=1048576", "mode=1777", "exec", "size=2m"],
      },
    ],
  }),
  workshop: specInput({
    service: service({ init: true, tty: true, capAdd: ["ALL"] }),
    facts: { ...KERNEL, cgroups: "hybrid", maxOpenFiles: 4_000_000 },
    mounts: [
      {
        type: "volume",
        source: "/var/lib/wharf/volumes/deps/data",
        target: "/app/node_modules",
        readOnly: false,
        propagation: "",
        options: [],
      },
      { type: "bind", source: "/home/me/app", target: "/app", readOnly: false, propagation: "rslave", options: [] },
      { type: "bind", source: "/home/me/etc", target: "/etc", readOnly: true, propagation: "rprivate", options: [] },
      { type: "bind", source: "/home/me/hosts", target: "/etc/hosts", readOnly: true, propagation: "rprivate", options: [] },
    ],
  }),
  limited: specInput({
    service: service({
      resources: {
        ...NO_LIMITS,
        cpus: 0.5,
        cpuShares: 1,
        cpuset: "0-1",
        memory: 67_108_864,
        memoryReservation: 33_554_432,
        memorySwap: -1,
        swappiness: 10,
        oomKillDisable: true,
        oomScoreAdj: 500,
        pids: 100,
        blkio: {
          weight: 300,
          weightDevice: [{ path: "/dev/vda", rate: 100 }],
          readBps: [{ path: "/dev/vda", rate: 1_048_576 }],
          writeBps: [{ path: "/dev/vda", rate: 2_097_152 }],
          readIops: [{ path: "/dev/vda", rate: 10 }],
          writeIops: [{ path: "/dev/vda", rate: 20 }],
        },
        ulimits: [
          { name: "core", soft: 0, hard: 0 },
          { name: "nofile", soft: 1024, hard: 4096 },
        ],
        shmSize: 1_048_577,
      },
    }),
    blocks: new Map([["/dev/vda", { major: 254, minor: 0 }]]),
  }),
  fenced: specInput({
    service: service({
      isolation: {
        ...USUAL_ISOLATION,
        noNewPrivileges: true,
        seccomp: {
          path: "/srv/filter.json",
          profile: {
            defaultAction: "SCMP_ACT_ERRNO",
            defaultErrnoRet: 38,
            architectures: [],
            archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }],
            flags: ["SECCOMP_FILTER_FLAG_LOG"],
            rules: [
              {
                names: ["read", "write"],
                action: "SCMP_ACT_ALLOW",
                errnoRet: null,
                args: [{ index: 1, value: 2, valueTwo: 3, op: "SCMP_CMP_MASKED_EQ" }],
                includes: { caps: ["CAP_CHOWN"], arches: ["amd64"], minKernel: "4.8" },
                excludes: { caps: [], arches: [], minKernel: null },
              },
              {
                names: ["mount"],
                action: "SCMP_ACT_ALLOW",
                errnoRet: null,
                args: [],
                includes: { caps: ["CAP_SYS_ADMIN"], arches: [], minKernel: null },
                excludes: { caps: [], arches: [], minKernel: null },
              },
            ],
          },
        },
        appArmor: "mine",
        unmask: ["/proc/acpi"],
        ipc: { type: "shareable" },
        uts: "host",
        cgroup: "host",
        sysctls: { "net.core.somaxconn": "99" },
        annotations: { "org.example": "yes" },
      },
    }),
    namespaces: { pid: { path: "/proc/42/ns/pid" }, ipc: "private" },
    sharedMemory: "/run/wharf/c/0123456789ab/shm",
    devices: {
      nodes: [{ path: "/dev/thing", type: "c", major: 10, minor: 7, fileMode: 0o660, uid: 0, gid: 44 }],
      rules: [{ allow: true, type: "c", major: 10, minor: 7, access: "rw" }],
      mounts: [{ destination: "/opt/thing", type: "bind", source: "/usr/lib/thing", options: ["ro", "bind"] }],
      env: ["THING=yes"],
      groups: [44],
      hooks: { createContainer: [{ path: "/usr/bin/hook", args: ["hook", "now"], timeout: 5 }] },
    },
  }),
  privileged: specInput({
    service: service({ isolation: { ...USUAL_ISOLATION, privileged: true, ipc: { type: "none" } }, capDrop: ["ALL"] }),
  }),
  "on the host's network": specInput({ network: "host" }),
};
