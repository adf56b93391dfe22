import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";

/**
 * Where everything of one world lies. `root` outlives a reboot, `run` does not. Each file has one module that reads and writes it.
 *
 *   root/images/…                      the image store                                     (images)
 *   root/containers/ID/container.json  what it is made of; written once, renamed in place  (records)
 *   root/containers/ID/state.json      its last start: boot, process, ports                (records)
 *   root/containers/ID/exit            exit status of its last run, written by conmon      (records)
 *   root/containers/ID/stopped         the run that was told to end, if any                (stopped)
 *   root/containers/ID/cgroup          the control group that its own is in, if any        (cgroups)
 *   root/containers/ID/slice           systemd's slice that it is in, if systemd makes it  (cgroups)
 *   root/containers/ID/log             its output in the k8s-file form, written by conmon  (logs)
 *   root/containers/ID/{upper,work}    its own layer                                       (rootfs)
 *   root/containers/ID/{hosts,…}       files bound into it                                 (network/hosts)
 *   root/containers/ID/configs/N       what its configs hold                               (given-files)
 *   root/names/NAME                    who has a container name                            (records)
 *   root/networks/NAME.json            a network: subnet, bridge, leases                   (network/networks)
 *   root/volumes/NAME/{volume.json,data}                                                   (volumes)
 *   root/secret.key                    makes digests of secrets                            (given-files)
 *   run/secrets/ID12/N                 what its secrets hold, on a tmpfs                   (given-files)
 *   run/mounts/ID12/N                  parts of volumes, mounted                           (staged)
 *   run/volumes/NAME/ID12              who needs a volume that is mounted from elsewhere   (volume-mounts)
 *   run/c/ID12/…                       bundle: config.json, rootfs, conmon's files         (bundle)
 *   run/runtime/…                      runc's or crun's own state
 *   run/cgroups/GROUP                  control groups made for containers to be in         (cgroups)
 *   run/moved-names/ADDRESS            where names are answered for when port 53 is taken (network/moved-names)
 *   run/foreign-firewalls              bridges that other firewalls let through        (network/foreign)
 *   run/published-datagrams            where published udp ports led to last           (network/datagram-flows)
 *   run/code/…                         what supervisors have compiled                     (lib/code-cache)
 *   run/locks/…                        locks between processes
 *   run/exits/ID                       exit status once more: one directory to watch      (supervisor/launch)
 *   run/supervisors/PROJECT.{lock,log} who looks after a project, and what it says        (supervisor/launch)
 */
export interface Layout {
  readonly root: string;
  readonly run: string;
  /** Eight hex digits that tell this world's kernel objects (bridges, nft table) from those of other worlds. */
  readonly world: string;
  readonly images: string;
  readonly containers: string;
  readonly names: string;
  readonly networks: string;
  readonly volumes: string;
  readonly bundles: string;
  readonly runtime: string;
  readonly locks: string;
  readonly exits: string;
  readonly supervisors: string;
}

/** Makes the directories that are missing (0711 for the path to bind sources, 0700 for the rest). */
export function openLayout(root: string, run: string): Layout {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  mkdirSync(run, { recursive: true, mode: 0o711 });
  const real = realpathSync(root);
  let world: string | undefined;
  const layout: Layout = {
    root: real,
    run: realpathSync(run),
    get world() {
      world ??= createHash("sha256").update(real).digest("hex").slice(0, 8);
      return world;
    },
    images: join(real, "images"),
    containers: join(real, "containers"),
    names: join(real, "names"),
    networks: join(real, "networks"),
    volumes: join(real, "volumes"),
    bundles: join(run, "c"),
    runtime: join(run, "runtime"),
    locks: join(run, "locks"),
    exits: join(run, "exits"),
    supervisors: join(run, "supervisors"),
  };
  for (const directory of [layout.containers, layout.volumes, layout.bundles]) mkdirSync(directory, { recursive: true, mode: 0o711 });
  for (const directory of [layout.names, layout.networks, layout.runtime, layout.locks, layout.exits, layout.supervisors])
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  return layout;
}

export const containerDirectory = (layout: Layout, id: string): string => join(layout.containers, id);

/** Twelve digits: the path of the attach socket must stay below 108 bytes. */
export const shortId = (id: string): string => id.slice(0, 12);

export const bundleDirectory = (layout: Layout, id: string): string => join(layout.bundles, shortId(id));

export const rootfsDirectory = (layout: Layout, id: string): string => join(bundleDirectory(layout, id), "rootfs");
