import type { Diagnostic } from "../model/diagnostic.ts";
import type { Context, Draft } from "./draft.ts";
import { type Entry, type Node, sourceOf } from "./node.ts";
import { spell, type Trail } from "./path.ts";

/** Whether wharf acts on an attribute; `windows`: it is of Windows and means nothing elsewhere. A tree stands for an attribute of which wharf acts on parts; `*` is any name or item. */
type Support = "yes" | "no" | "windows" | { readonly [key: string]: Support };

/**
 * Every attribute of the Compose Specification with what wharf does about it. A test holds it against the schema: no row can be missing.
 * Short names stand under the long ones.
 */
export const SUPPORT = {
  version: "yes",
  name: "yes",
  include: "yes",
  services: {
    "*": {
      annotations: "yes",
      attach: "yes",
      blkio_config: "yes",
      build: "no",
      cap_add: "yes",
      cap_drop: "yes",
      cgroup: "yes",
      cgroup_parent: "yes",
      command: "yes",
      configs: { "*": { source: "yes", target: "yes", uid: "yes", gid: "yes", mode: "yes" } },
      container_name: "yes",
      cpu_count: "windows",
      cpu_percent: "windows",
      cpu_period: "yes",
      cpu_quota: "yes",
      cpu_rt_period: "yes",
      cpu_rt_runtime: "yes",
      cpu_shares: "yes",
      cpus: "yes",
      cpuset: "yes",
      credential_spec: "yes",
      depends_on: "yes",
      deploy: {
        replicas: "yes",
        mode: "no",
        endpoint_mode: "no",
        labels: "no",
        placement: "no",
        resources: {
          limits: { cpus: "yes", memory: "yes", pids: "yes" },
          reservations: { cpus: "no", memory: "yes", devices: "yes", generic_resources: "no" },
        },
        restart_policy: "yes",
        rollback_config: "yes",
        update_config: "yes",
      },
      develop: "no",
      device_cgroup_rules: "yes",
      devices: "yes",
      dns: "yes",
      dns_opt: "yes",
      dns_search: "yes",
      domainname: "yes",
      entrypoint: "yes",
      env_file: "yes",
      environment: "yes",
      expose: "yes",
      extends: "yes",
      external_links: "yes",
      extra_hosts: "yes",
      gpus: "yes",
      group_add: "yes",
      healthcheck: "yes",
      hostname: "yes",
      image: "yes",
      init: "yes",
      ipc: "yes",
      isolation: "windows",
      label_file: "yes",
      labels: "yes",
      links: "yes",
      logging: "yes",
      mac_address: "yes",
      mem_limit: "yes",
      mem_reservation: "yes",
      mem_swappiness: "yes",
      memswap_limit: "yes",
      models: "no",
      network_mode: "yes",
      networks: {
        "*": {
          aliases: "yes",
          driver_opts: "yes", // its reader warns of those that wharf does not know
          gw_priority: "yes",
          interface_name: "yes",
          ipv4_address: "yes",
          ipv6_address: "yes",
          link_local_ips: "yes",
          mac_address: "yes",
          priority: "yes",
        },
      },
      oom_kill_disable: "yes",
      oom_score_adj: "yes",
      pid: "yes",
      pids_limit: "yes",
      platform: "yes",
      ports: "yes",
      post_start: "yes",
      pre_start: "yes",
      pre_stop: "yes",
      privileged: "yes",
      profiles: "yes",
      provider: "no",
      pull_policy: "yes",
      pull_refresh_after: "no",
      read_only: "yes",
      restart: "yes",
      runtime: "yes",
      scale: "yes",
      secrets: { "*": { source: "yes", target: "yes", uid: "yes", gid: "yes", mode: "yes" } },
      security_opt: "yes",
      shm_size: "yes",
      stdin_open: "yes",
      stop_grace_period: "yes",
      stop_signal: "yes",
      storage_opt: "yes",
      sysctls: "yes",
      tmpfs: "yes",
      tty: "yes",
      ulimits: "yes",
      use_api_socket: "yes", // refused, with the reason
      user: "yes",
      userns_mode: "yes",
      uts: "yes",
      volumes: {
        "*": {
          type: "yes",
          source: "yes",
          target: "yes",
          read_only: "yes",
          consistency: "no",
          bind: { propagation: "yes", create_host_path: "yes", recursive: "yes", selinux: "yes" },
          volume: { nocopy: "yes", subpath: "yes", labels: "yes" },
          tmpfs: { size: "yes", mode: "yes" },
          image: { subpath: "yes" },
        },
      },
      volumes_from: "yes",
      working_dir: "yes",
    },
  },
  volumes: { "*": { name: "yes", external: "yes", labels: "yes", driver: "yes", driver_opts: "yes" } },
  networks: {
    "*": {
      name: "yes",
      attachable: "yes", // any container of the machine may join anyway
      driver: "yes",
      driver_opts: "yes", // its reader warns of those that wharf does not know
      enable_ipv4: "yes",
      enable_ipv6: "yes",
      external: "yes",
      internal: "yes",
      ipam: "yes",
      labels: "yes",
    },
  },
  // What only a cluster has (`external`, drivers) is refused where a container is made with it, not passed over.
  configs: {
    "*": { name: "yes", file: "yes", environment: "yes", content: "yes", external: "yes", labels: "yes", template_driver: "yes" },
  },
  secrets: {
    "*": {
      name: "yes",
      file: "yes",
      environment: "yes",
      external: "yes",
      labels: "yes",
      driver: "yes",
      driver_opts: "yes",
      template_driver: "yes",
    },
  },
  models: "no",
  jobs: { "*": { triggers: { manual: "yes", schedule: "no" } } },
} as const satisfies Support;

/** Warns of each attribute that wharf knows and does not act on yet, and of obsolete ones. */
export function support(draft: Draft, context: Context): Draft {
  walk(draft.tree, { trail: null, support: SUPPORT, context });
  const version = draft.tree.kind === "mapping" ? draft.tree.entries.get("version") : undefined;
  if (version !== undefined)
    context.report.add({
      code: "W_OBSOLETE",
      message: "`version` is obsolete and has no effect",
      hint: "take the line out",
      source: sourceOf(version.place),
    });
  return draft;
}

interface Walk {
  readonly trail: Trail | null;
  readonly support: Exclude<Support, string>;
  readonly context: Context;
}

function walk(node: Node, { trail: up, support: known, context }: Walk): void {
  const { "*": any } = known;
  if (node.kind === "list" && any !== undefined && typeof any !== "string")
    node.items.forEach((item, key) => {
      walk(item, { trail: { up, key }, support: any, context });
    });
  if (node.kind !== "mapping") return;
  node.entries.forEach((attribute, key) => {
    const below = Object.hasOwn(known, key) ? known[key] : any;
    if (below === undefined || below === "yes") return; // unknown keys are the validation's business
    const trail = { up, key: attribute.spelled };
    if (below === "windows")
      context.report.add({
        code: "W_WINDOWS",
        message: `\`${spell(trail)}\` is of Windows: it has no effect on a Linux container`,
        hint: "take the line out, or leave it for others",
        source: sourceOf(attribute.place),
      });
    else if (below === "no") unsupported(spell(trail), attribute, context);
    else walk(attribute.value, { trail, support: below, context });
  });
}

/** Adds the warning that an attribute has no effect yet. */
export function unsupported(path: string, { place }: Pick<Entry, "place">, { report }: Pick<Context, "report">): void {
  report.add({
    code: "W_UNSUPPORTED",
    message: `\`${path}\` is not supported yet: wharf goes on without it`,
    hint: "`wharf explain W_UNSUPPORTED` says more",
    source: sourceOf(place),
  });
}

/** One warning for an attribute that several services have, at the first of them. */
export function grouped(items: readonly Diagnostic[]): readonly Diagnostic[] {
  const groups = new Map<string, { readonly first: Diagnostic; readonly services: Set<string> }>();
  const result: (Diagnostic | string)[] = [];
  for (const item of items) {
    const [, service, attribute] = (item.code === "W_UNSUPPORTED" && /^`services\.([^.`]+)\.([a-z_.]+)`/.exec(item.message)) || [];
    if (service === undefined || attribute === undefined) {
      result.push(item);
      continue;
    }
    const group = groups.get(attribute);
    if (group === undefined) result.push(attribute);
    const known = group ?? { first: item, services: new Set<string>() };
    known.services.add(service);
    groups.set(attribute, known);
  }
  return result.flatMap((item) => {
    if (typeof item !== "string") return [item];
    const group = groups.get(item);
    return group === undefined ? [] : [withOthers(group.first, group.services.size - 1)];
  });
}

function withOthers(item: Diagnostic, others: number): Diagnostic {
  if (others === 0) return item;
  const more = others === 1 ? "one more service" : `${others} more services`;
  return { ...item, message: item.message.replace(" is not supported yet:", ` is not supported yet, here and in ${more}:`) };
}
