/**
 * Every attribute of a service in its forms, with what Compose prints of it. `out` is the attribute's JSON, `undefined` when it is left out.
 * Kept apart from the test so that another one can tell which attributes have no case.
 */
import type { Json } from "../../src/model/json.ts";

export interface Case {
  readonly in: string;
  readonly out: Json | undefined;
}

export const ATTRIBUTES: Readonly<Record<string, readonly Case[]>> = {
  annotations: [
    { in: "{a: 1, b: }", out: { a: "1", b: "" } },
    { in: "[a=1, b]", out: { a: "1", b: "" } },
  ],
  attach: [{ in: "false", out: false }],
  blkio_config: [
    {
      in: "{weight: 300, weight_device: [{path: /dev/a, weight: 10}], device_read_bps: [{path: /dev/a, rate: 1mb}], device_write_iops: [{path: /dev/a, rate: 30}]}",
      out: {
        weight: 300,
        weight_device: [{ Path: "/dev/a", Weight: 10 }],
        device_read_bps: [{ Path: "/dev/a", Rate: "1048576" }],
        device_write_iops: [{ Path: "/dev/a", Rate: "30" }],
      },
    },
  ],
  build: [
    { in: "./app", out: { context: "/p/shop/app", dockerfile: "Dockerfile" } },
    { in: "{args: [NOBODY_HAS_IT]}", out: { context: "/p/shop", dockerfile: "Dockerfile" } },
    { in: "{args: {NOBODY_HAS_IT: , A: ''}}", out: { context: "/p/shop", dockerfile: "Dockerfile", args: { A: "" } } },
    { in: "{dockerfile_inline: FROM x}", out: { context: "/p/shop", dockerfile_inline: "FROM x" } },
    {
      in: "{context: 'https://example.org/a.git', args: [A=1, HOME], ssh: {default: , k: v}, additional_contexts: [b=./b], provenance: true, secrets: [s]}",
      out: {
        context: "https://example.org/a.git",
        dockerfile: "Dockerfile",
        args: { A: "1", HOME: "/home/u" },
        provenance: "true",
        ssh: ["default", "k=/p/shop/v"],
        additional_contexts: { b: "/p/shop/b" },
        secrets: [{ source: "s" }],
      },
    },
    {
      in: "{context: ., no_cache: true, pull: true, no_cache_filter: a, ulimits: {nproc: 1}, shm_size: 1k, platforms: [linux/arm64], labels: [a=b], tags: [a, a], extra_hosts: [h=1.1.1.1], cache_from: [x], cache_to: [y], entitlements: [network.host], network: host, target: t, isolation: i, privileged: true, sbom: true}",
      out: {
        context: "/p/shop",
        dockerfile: "Dockerfile",
        entitlements: ["network.host"],
        sbom: "true",
        labels: { a: "b" },
        cache_from: ["x"],
        cache_to: ["y"],
        no_cache: true,
        no_cache_filter: ["a"],
        pull: true,
        extra_hosts: ["h=1.1.1.1"],
        isolation: "i",
        network: "host",
        target: "t",
        shm_size: "1024",
        tags: ["a"],
        ulimits: { nproc: 1 },
        platforms: ["linux/arm64"],
        privileged: true,
      },
    },
  ],
  cap_add: [{ in: "[ALL, NET_ADMIN]", out: ["ALL", "NET_ADMIN"] }],
  cap_drop: [{ in: "[SYS_TIME]", out: ["SYS_TIME"] }],
  cgroup: [{ in: "private", out: "private" }],
  cgroup_parent: [{ in: "m-x", out: "m-x" }],
  command: [
    { in: "a 'b c'", out: ["a", "b c"] },
    { in: "[a, b c]", out: ["a", "b c"] },
    { in: "''", out: [] },
    { in: "", out: null },
  ],
  configs: [
    { in: "[c]", out: [{ source: "c" }] },
    { in: "[{source: c, target: /x, uid: '1', mode: 0440}]", out: [{ source: "c", target: "/x", uid: "1", mode: "0440" }] },
  ],
  container_name: [{ in: "one", out: "one" }],
  cpu_count: [{ in: "2", out: 2 }],
  cpu_percent: [{ in: "50", out: 50 }],
  cpu_period: [{ in: "'100000'", out: 100000 }],
  cpu_quota: [{ in: "50000", out: 50000 }],
  cpu_rt_period: [{ in: "1000", out: 1000 }],
  cpu_rt_runtime: [{ in: "950", out: 950 }],
  cpu_shares: [{ in: "73", out: 73 }],
  cpus: [
    { in: "'0.50'", out: 0.5 },
    { in: "1", out: 1 },
  ],
  cpuset: [{ in: "0-3", out: "0-3" }],
  credential_spec: [{ in: "{file: a.json}", out: { file: "a.json" } }],
  depends_on: [
    { in: "[other]", out: { other: { condition: "service_started", required: true } } },
    {
      in: "{other: {condition: service_completed_successfully, restart: true, required: false}}",
      out: { other: { condition: "service_completed_successfully", restart: true, required: false } },
    },
  ],
  deploy: [
    { in: "{replicas: 2}", out: { replicas: 2, resources: {}, placement: {} } },
    {
      in: "{mode: global, labels: [a=b], endpoint_mode: vip, update_config: {parallelism: 0, delay: 10s, order: start-first, max_failure_ratio: 0.1}, restart_policy: {condition: any, delay: 5s, max_attempts: 3, window: 2m}, placement: {constraints: [a==b], preferences: [{spread: z}], max_replicas_per_node: 1}}",
      out: {
        mode: "global",
        labels: { a: "b" },
        update_config: { parallelism: 0, delay: "10s", max_failure_ratio: 0.1, order: "start-first" },
        resources: {},
        restart_policy: { condition: "any", delay: "5s", max_attempts: 3, window: "2m0s" },
        placement: { constraints: ["a==b"], preferences: [{ spread: "z" }], max_replicas_per_node: 1 },
        endpoint_mode: "vip",
      },
    },
    {
      in: "{resources: {limits: {cpus: '0.001', memory: 50M, pids: 7}, reservations: {devices: [{capabilities: [gpu], count: all}, {capabilities: [tpu]}], generic_resources: [{discrete_resource_spec: {kind: ssd, value: 2}}, {discrete_resource_spec: {kind: ssd}}]}}}",
      out: {
        resources: {
          limits: { cpus: 0.001, memory: "52428800", pids: 7 },
          reservations: {
            devices: [
              { capabilities: ["gpu"], count: -1 },
              { capabilities: ["tpu"], count: -1 },
            ],
            generic_resources: [
              { discrete_resource_spec: { kind: "ssd", value: 2 } },
              { discrete_resource_spec: { kind: "ssd", value: 0 } },
            ],
          },
        },
        placement: {},
      },
    },
  ],
  develop: [
    {
      in: "{watch: [{path: ./src, action: sync, target: /src, ignore: a/}, {path: ., action: rebuild}]}",
      out: {
        watch: [
          { path: "/p/shop/src", action: "sync", target: "/src", exec: { command: null }, ignore: ["a/"] },
          { path: "/p/shop", action: "rebuild", exec: { command: null } },
        ],
      },
    },
  ],
  device_cgroup_rules: [{ in: "['c 1:3 mr']", out: ["c 1:3 mr"] }],
  devices: [
    {
      in: "['/dev/a', '/dev/b:/dev/c:r']",
      out: [
        { source: "/dev/a", target: "/dev/a", permissions: "rwm" },
        { source: "/dev/b", target: "/dev/c", permissions: "r" },
      ],
    },
  ],
  dns: [
    { in: "8.8.8.8", out: ["8.8.8.8"] },
    { in: "['', 8.8.8.8]", out: ["8.8.8.8"] },
    { in: "''", out: undefined },
  ],
  dns_opt: [{ in: "[use-vc]", out: ["use-vc"] }],
  dns_search: [{ in: "[a.example, b.example]", out: ["a.example", "b.example"] }],
  domainname: [{ in: "example.org", out: "example.org" }],
  entrypoint: [{ in: "a -b", out: ["a", "-b"] }],
  env_file: [{ in: "extra.env", out: undefined }],
  environment: [
    { in: "{A: 1, B: 2.50, C: , D: true, HOME: }", out: { A: "1", B: "2.5", C: null, D: "true", HOME: "/home/u" } },
    { in: "[A=1, B=, C, HOME]", out: { A: "1", B: "", C: null, HOME: "/home/u" } },
  ],
  expose: [{ in: "['3000', 8000]", out: ["3000", "8000"] }],
  extends: [{ in: "other", out: undefined }],
  external_links: [{ in: "[a, 'b:c']", out: ["a", "b:c"] }],
  extra_hosts: [
    { in: "{b: 1.1.1.1, a: ['2.2.2.2', '::1']}", out: ["a=2.2.2.2", "a=::1", "b=1.1.1.1"] },
    { in: "['a:1.1.1.1', 'b=[::1]']", out: ["a=1.1.1.1", "b=::1"] },
  ],
  gpus: [
    { in: "all", out: [{ count: -1 }] },
    { in: "[{driver: x, device_ids: [a]}]", out: [{ driver: "x", device_ids: ["a"] }] },
  ],
  group_add: [{ in: "[mail, 1000]", out: ["mail", "1000"] }],
  healthcheck: [
    {
      in: "{test: echo, interval: 90s, timeout: 500ms, retries: 3, start_period: 0s, start_interval: 1h}",
      out: { test: ["CMD-SHELL", "echo"], timeout: "500ms", interval: "1m30s", retries: 3, start_period: "0s", start_interval: "1h0m0s" },
    },
    { in: "{disable: true}", out: { disable: true } },
    { in: "{test: '', retries: 2}", out: { test: ["CMD-SHELL", ""], retries: 2 } },
    { in: "{test: [], retries: 2}", out: { retries: 2 } },
  ],
  hostname: [{ in: "h", out: "h" }],
  image: [{ in: "a:1", out: "a:1" }],
  init: [{ in: "false", out: false }],
  ipc: [{ in: "host", out: "host" }],
  isolation: [{ in: "hyperv", out: "hyperv" }],
  label_file: [{ in: "extra.env", out: undefined }],
  labels: [{ in: "[a=b, c]", out: { a: "b", c: "" } }],
  links: [{ in: "['other:o']", out: ["other:o"] }],
  logging: [{ in: "{driver: local, options: {max-file: 3}}", out: { driver: "local", options: { "max-file": "3" } } }],
  mac_address: [{ in: "'02:42:ac:11:65:43'", out: "02:42:ac:11:65:43" }],
  mem_limit: [{ in: "1.5g", out: "1610612736" }],
  mem_reservation: [{ in: "64m", out: "67108864" }],
  mem_swappiness: [{ in: "10", out: "10" }],
  memswap_limit: [{ in: "-1", out: "-1" }],
  models: [
    { in: "[m]", out: { m: null } },
    { in: "{m: {endpoint_var: U}}", out: { m: { endpoint_var: "U" } } },
  ],
  network_mode: [{ in: "host", out: "host" }],
  networks: [
    { in: "[n]", out: { n: null } },
    {
      in: "{n: {aliases: [a, a], ipv4_address: 10.0.0.2, priority: 3, gw_priority: 1, interface_name: e, driver_opts: {k: 1}, mac_address: 'm', link_local_ips: [x]}}",
      out: {
        n: {
          aliases: ["a"],
          driver_opts: { k: "1" },
          gw_priority: 1,
          interface_name: "e",
          ipv4_address: "10.0.0.2",
          link_local_ips: ["x"],
          mac_address: "m",
          priority: 3,
        },
      },
    },
    { in: "{}", out: { default: null } },
  ],
  oom_kill_disable: [{ in: "true", out: true }],
  oom_score_adj: [{ in: "-500", out: -500 }],
  pid: [{ in: "host", out: "host" }],
  pids_limit: [{ in: "10", out: 10 }],
  platform: [{ in: "linux/arm64", out: "linux/arm64" }],
  ports: [
    {
      in: "['127.0.0.1:80-81:8080-8081/udp', 9000]",
      out: [
        { mode: "ingress", host_ip: "127.0.0.1", target: 8080, published: "80", protocol: "udp" },
        { mode: "ingress", host_ip: "127.0.0.1", target: 8081, published: "81", protocol: "udp" },
        { mode: "ingress", target: 9000, protocol: "tcp" },
      ],
    },
    {
      in: "[{target: 80, published: 8080, name: web, app_protocol: http, mode: host}]",
      out: [{ name: "web", mode: "host", target: 80, published: "8080", protocol: "tcp", app_protocol: "http" }],
    },
  ],
  post_start: [{ in: "[{command: echo a, user: root}]", out: [{ command: ["echo", "a"], user: "root" }] }],
  pre_start: [{ in: "[{image: x, per_replica: true}]", out: [{ image: "x", command: null, entrypoint: null, per_replica: true }] }],
  pre_stop: [{ in: "[{command: [a], environment: [A=1]}]", out: [{ command: ["a"], environment: { A: "1" } }] }],
  privileged: [{ in: "true", out: true }],
  profiles: [{ in: "[web, web]", out: ["web"] }],
  provider: [
    { in: "{type: x, options: {a: 1, b: [c, true]}}", out: { type: "x", options: { a: ["1"], b: ["c", "true"] } } },
    { in: "{type: x, options: {__proto__: [a]}}", out: { type: "x", options: JSON.parse('{"__proto__":["a"]}') as Json } },
  ],
  pull_policy: [
    { in: "if_not_present", out: "missing" },
    { in: "every_2d", out: "every_2d" },
  ],
  pull_refresh_after: [{ in: "1d", out: "1d" }],
  read_only: [{ in: "'true'", out: true }],
  restart: [{ in: "no", out: "no" }],
  runtime: [{ in: "runsc", out: "runsc" }],
  scale: [{ in: "0", out: 0 }],
  secrets: [
    { in: "[s]", out: [{ source: "s", target: "/run/secrets/s" }] },
    { in: "[{source: s, target: t, mode: '0400'}]", out: [{ source: "s", target: "t", mode: "0400" }] },
  ],
  security_opt: [{ in: "[label=disable]", out: ["label=disable"] }],
  shm_size: [{ in: "64m", out: "67108864" }],
  stdin_open: [{ in: "true", out: true }],
  stop_grace_period: [{ in: "1m30s", out: "1m30s" }],
  stop_signal: [{ in: "SIGUSR1", out: "SIGUSR1" }],
  storage_opt: [{ in: "{size: 1G}", out: { size: "1G" } }],
  sysctls: [
    { in: "[a.b=1, c.d]", out: { "a.b": "1", "c.d": "" } },
    { in: "{a.b: 1}", out: { "a.b": "1" } },
  ],
  tmpfs: [{ in: "/run:size=1m", out: ["/run:size=1m"] }],
  tty: [{ in: "true", out: true }],
  ulimits: [{ in: "{nproc: 65535, nofile: {soft: 1, hard: 2}}", out: { nofile: { soft: 1, hard: 2 }, nproc: 65535 } }],
  use_api_socket: [{ in: "true", out: true }],
  user: [{ in: "'1000:1000'", out: "1000:1000" }],
  userns_mode: [{ in: "host", out: "host" }],
  uts: [{ in: "host", out: "host" }],
  volumes: [
    { in: "[/data]", out: [{ type: "volume", target: "/data", volume: {} }] },
    { in: "[/d]", out: [{ type: "volume", target: "/d" }] },
    {
      in: "['./a/../b:/x/:ro,z', 'data:/y:nocopy', '~/c:/z:rshared']",
      out: [
        { type: "bind", source: "/p/shop/b", target: "/x", read_only: true, bind: { selinux: "z", create_host_path: true } },
        { type: "volume", source: "data", target: "/y", volume: { nocopy: true } },
        { type: "bind", source: "/home/u/c", target: "/z", bind: { propagation: "rshared", create_host_path: true } },
      ],
    },
    {
      in: "[{type: tmpfs, target: /t, tmpfs: {size: 1k, mode: 0755}}, {type: image, source: x, target: /i, image: {subpath: a}}, {type: volume, source: data, target: /v, volume: {subpath: s, labels: [a=b]}, consistency: cached}]",
      out: [
        { type: "tmpfs", target: "/t", tmpfs: { size: "1024", mode: 493 } },
        { type: "image", source: "x", target: "/i", image: { subpath: "a" } },
        { type: "volume", source: "data", target: "/v", consistency: "cached", volume: { labels: { a: "b" }, subpath: "s" } },
      ],
    },
    { in: "['c:\\data:d:\\data']", out: [{ type: "bind", source: "c:\\data", target: "d:\\data", bind: { create_host_path: true } }] },
  ],
  volumes_from: [{ in: "['other:ro', 'container:x']", out: ["other:ro", "container:x"] }],
  working_dir: [{ in: "/srv", out: "/srv" }],
};
