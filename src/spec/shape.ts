/**
 * What Compose prints, as a table: each attribute with its kind, in the order of Compose's own output. What is empty is left out, but
 * for the kinds that say otherwise.
 */

/** A single value or a list of single values. */
export type Leaf =
  | "text"
  | "always-text" // printed when it is empty or not given, too
  | "flag" // left out when false
  | "given-flag" // printed when it is given, false too
  | "always-flag"
  | "integer" // left out when 0
  | "given-integer"
  | "natural" // an integer of 0 or more, left out when 0
  | "given-natural"
  | "always-integer"
  | "number"
  | "bytes" // a number of bytes, as text
  | "given-bytes"
  | "always-bytes"
  | "duration"
  | "given-duration"
  | "mode" // permission bits, octal as text
  | "count" // of devices: `all` is -1
  | "texts"
  | "words" // a command: JSON says null where there is none
  | "test" // a health check's command
  | "hosts"
  | "labels" // text by name; without a value empty
  | "variables" // text by name; without a value null
  | "lists" // several texts by name
  | "ulimit"
  | "file" // one of `env_file`
  | "any";

export interface Shape {
  /** Attributes in order. */
  readonly fields?: Fields;
  /** Any name, sorted. */
  readonly map?: Shape | Leaf;
  readonly list?: Shape | Leaf;
  /** An entry that is there and empty is `null`. */
  readonly nullable?: true;
  /** JSON has it even when it is empty. */
  readonly always?: true;
  /** JSON has the names of the attributes with a capital. */
  readonly capital?: true;
}

export type Fields = { readonly [name: string]: Shape | Leaf };

/** A list whose items have the same attributes. */
function table(fields: Fields): Shape {
  return { list: { fields } };
}

const HOOK: Shape = {
  fields: { command: "words", user: "text", privileged: "flag", working_dir: "text", environment: "variables" },
};

const FILE_REFERENCE: Shape = {
  fields: { source: "text", target: "text", uid: "text", gid: "text", mode: "mode" },
};

const BUILD: Shape = {
  fields: {
    context: "text",
    dockerfile: "text",
    dockerfile_inline: "text",
    entitlements: "texts",
    args: "variables",
    provenance: "text",
    sbom: "text",
    ssh: "texts",
    labels: "labels",
    cache_from: "texts",
    cache_to: "texts",
    no_cache: "flag",
    no_cache_filter: "texts",
    additional_contexts: "labels",
    pull: "flag",
    extra_hosts: "hosts",
    isolation: "text",
    network: "text",
    target: "text",
    secrets: { list: FILE_REFERENCE },
    shm_size: "bytes",
    tags: "texts",
    ulimits: { map: "ulimit" },
    platforms: "texts",
    privileged: "flag",
  },
};

const DEVICE_REQUEST: Shape = {
  fields: { capabilities: "texts", driver: "text", count: "count", device_ids: "texts", options: "labels" },
};

const RESOURCE: Shape = {
  fields: {
    cpus: "number",
    memory: "bytes",
    pids: "integer",
    devices: { list: DEVICE_REQUEST },
    generic_resources: table({ discrete_resource_spec: { fields: { kind: "always-text", value: "always-integer" } } }),
  },
};

const UPDATE: Shape = {
  fields: {
    parallelism: "given-natural",
    delay: "duration",
    failure_action: "text",
    monitor: "duration",
    max_failure_ratio: "number",
    order: "text",
  },
};

const DEPLOY: Shape = {
  fields: {
    mode: "text",
    replicas: "given-integer",
    labels: "labels",
    update_config: UPDATE,
    rollback_config: UPDATE,
    resources: {
      fields: { limits: RESOURCE, reservations: RESOURCE },
      always: true,
    },
    restart_policy: {
      fields: { condition: "text", delay: "given-duration", max_attempts: "given-natural", window: "given-duration" },
    },
    placement: {
      fields: { constraints: "texts", preferences: table({ spread: "text" }), max_replicas_per_node: "natural" },
      always: true,
    },
    endpoint_mode: "text",
  },
};

const WATCH: Shape = {
  fields: {
    path: "text",
    action: "text",
    target: "text",
    exec: { ...HOOK, always: true },
    include: "texts",
    ignore: "texts",
    initial_sync: "flag",
  },
};

/** Devices of `blkio_config`, whose fields have no names of their own in Compose's JSON. */
function ofDevice(fields: Fields): Shape {
  return { list: { fields: { path: "always-text", ...fields }, capital: true } };
}

const THROTTLE = ofDevice({ rate: "always-bytes" });

const BLKIO: Shape = {
  fields: {
    weight: "natural",
    weight_device: ofDevice({ weight: "always-integer" }),
    device_read_bps: THROTTLE,
    device_read_iops: THROTTLE,
    device_write_bps: THROTTLE,
    device_write_iops: THROTTLE,
  },
};

const NETWORK_OF_SERVICE: Shape = {
  nullable: true,
  fields: {
    aliases: "texts",
    driver_opts: "labels",
    gw_priority: "integer",
    interface_name: "text",
    ipv4_address: "text",
    ipv6_address: "text",
    link_local_ips: "texts",
    mac_address: "text",
    priority: "integer",
  },
};

const HEALTHCHECK: Shape = {
  fields: {
    test: "test",
    timeout: "given-duration",
    interval: "given-duration",
    retries: "given-natural",
    start_period: "given-duration",
    start_interval: "given-duration",
    disable: "flag",
  },
};

const PORT: Shape = {
  fields: { name: "text", mode: "text", host_ip: "text", target: "natural", published: "text", protocol: "text", app_protocol: "text" },
};

const MOUNT: Shape = {
  fields: {
    type: "text",
    source: "text",
    target: "text",
    read_only: "flag",
    consistency: "text",
    bind: {
      fields: { selinux: "text", propagation: "text", create_host_path: "flag", recursive: "text" },
    },
    volume: {
      fields: { labels: "labels", nocopy: "flag", subpath: "text" },
    },
    tmpfs: {
      fields: { size: "bytes", mode: "natural" },
    },
    image: { fields: { subpath: "text" } },
  },
};

const OF_SERVICE = {
  profiles: "texts",
  annotations: "labels",
  attach: "given-flag",
  build: BUILD,
  develop: { fields: { watch: { list: WATCH } } },
  blkio_config: BLKIO,
  cap_add: "texts",
  cap_drop: "texts",
  cgroup_parent: "text",
  cgroup: "text",
  cpu_count: "integer",
  cpu_percent: "number",
  cpu_period: "integer",
  cpu_quota: "integer",
  cpu_rt_period: "integer",
  cpu_rt_runtime: "integer",
  cpus: "number",
  cpuset: "text",
  cpu_shares: "integer",
  command: "words",
  configs: { list: FILE_REFERENCE },
  container_name: "text",
  credential_spec: {
    fields: { config: "text", file: "text", registry: "text" },
  },
  depends_on: {
    map: {
      fields: { condition: "text", restart: "flag", required: "always-flag" },
    },
  },
  deploy: DEPLOY,
  device_cgroup_rules: "texts",
  devices: table({ source: "text", target: "text", permissions: "text" }),
  dns: "texts",
  dns_opt: "texts",
  dns_search: "texts",
  domainname: "text",
  entrypoint: "words",
  provider: {
    fields: { type: "text", options: "lists" },
  },
  environment: "variables",
  env_file: { list: "file" },
  expose: "texts",
  external_links: "texts",
  extra_hosts: "hosts",
  group_add: "texts",
  gpus: { list: DEVICE_REQUEST },
  hostname: "text",
  healthcheck: HEALTHCHECK,
  image: "text",
  init: "given-flag",
  ipc: "text",
  isolation: "text",
  labels: "labels",
  label_file: "texts",
  links: "texts",
  logging: {
    fields: { driver: "text", options: "labels" },
  },
  mem_limit: "bytes",
  mem_reservation: "bytes",
  memswap_limit: "bytes",
  mem_swappiness: "bytes",
  mac_address: "text",
  models: {
    map: {
      nullable: true,
      fields: { endpoint_var: "text", model_var: "text" },
    },
  },
  network_mode: "text",
  networks: { map: NETWORK_OF_SERVICE },
  oom_kill_disable: "flag",
  oom_score_adj: "integer",
  pid: "text",
  pids_limit: "integer",
  platform: "text",
  ports: { list: PORT },
  privileged: "flag",
  pull_policy: "text",
  pull_refresh_after: "text",
  read_only: "flag",
  restart: "text",
  runtime: "text",
  scale: "given-integer",
  secrets: { list: FILE_REFERENCE },
  security_opt: "texts",
  shm_size: "bytes",
  stdin_open: "flag",
  stop_grace_period: "given-duration",
  stop_signal: "text",
  storage_opt: "labels",
  sysctls: "labels",
  tmpfs: "texts",
  tty: "flag",
  ulimits: { map: "ulimit" },
  use_api_socket: "flag",
  user: "text",
  userns_mode: "text",
  uts: "text",
  volumes: { list: MOUNT },
  volumes_from: "texts",
  working_dir: "text",
} as const satisfies Fields;

/** A step says of itself what a service says, as far as the schema lets it. */
const PRE_START: Shape = { fields: { ...OF_SERVICE, per_replica: "given-flag" } };

export const SERVICE: Shape = {
  fields: { ...OF_SERVICE, pre_start: { list: PRE_START }, post_start: { list: HOOK }, pre_stop: { list: HOOK } },
};

const NETWORK: Shape = {
  fields: {
    name: "text",
    driver: "text",
    driver_opts: "labels",
    ipam: {
      fields: {
        driver: "text",
        config: table({ subnet: "text", gateway: "text", ip_range: "text", aux_addresses: "labels" }),
      },
      always: true,
    },
    external: "flag",
    internal: "flag",
    attachable: "flag",
    labels: "labels",
    enable_ipv4: "given-flag",
    enable_ipv6: "given-flag",
  },
};

const VOLUME: Shape = {
  fields: { name: "text", driver: "text", driver_opts: "labels", external: "flag", labels: "labels" },
};

const FILE: Shape = {
  fields: {
    name: "text",
    file: "text",
    environment: "text",
    content: "text",
    external: "flag",
    labels: "labels",
    driver: "text",
    driver_opts: "labels",
    template_driver: "text",
  },
};

const MODEL: Shape = {
  fields: { name: "text", model: "text", context_size: "integer", runtime_flags: "texts" },
};

/** Sections of a project in the order of Compose's YAML. */
export const SECTIONS: readonly (readonly [name: string, shape: Shape])[] = [
  ["services", SERVICE],
  ["networks", NETWORK],
  ["volumes", VOLUME],
  ["secrets", FILE],
  ["configs", FILE],
  ["models", MODEL],
];
