import { suite } from "uvu";
import * as assert from "uvu/assert";
import { containerInspect, type InspectInput } from "../../../src/engines/oci/inspect.ts";
import { mergeConfig } from "../../../src/engines/oci/process-config.ts";
import { NO_BLOCK_LIMITS, NO_LIMITS } from "../../../src/model/resources.ts";
import { NO_RESTART } from "../../../src/model/service.ts";
import { golden } from "../../support/golden.ts";
import { service } from "./fixtures.ts";

const it = suite("a container's document");

function input(given: Partial<InspectInput> = {}): InspectInput {
  const wanted = given.service ?? service({ environment: { COLOR: "blue" } });
  const image = { Cmd: ["/usr/bin/colors"], Env: ["PATH=/usr/bin:/bin", "COLOR=green"], ExposedPorts: { "3000/tcp": {} } };
  return {
    id: "0123456789ab".padEnd(64, "0"),
    name: "shop-web-1",
    createdAt: "2026-01-02T03:04:05.678Z",
    image: { id: `sha256:${"a".repeat(64)}`, reference: wanted.image },
    state: {
      status: "running",
      pid: 4711,
      exitCode: null,
      startedAt: "2026-01-02T03:04:06.000Z",
      finishedAt: null,
      oomKilled: false,
      error: "",
      restartCount: 0,
      health: null,
    },
    healthcheck: null,
    process: mergeConfig(image, wanted, { hostname: "0123456789ab", tty: wanted.tty }),
    hostname: "0123456789ab",
    labels: { "a.label": "its value" },
    mounts: [],
    autoRemove: false,
    ports: [],
    networkMode: null,
    networks: [],
    files: { hosts: "/c/hosts", hostname: "/c/hostname", resolvConf: "/c/resolv.conf", log: "/c/log" },
    ...given,
    service: wanted,
  };
}

it("of a plain running one is as written down", () => {
  golden("inspect/plain.json", `${JSON.stringify(containerInspect(input()), null, 2)}\n`);
});

it("with mounts, ports and networks is as written down", () => {
  const full = service({
    command: ["cat", "usr/share/web/index.html"],
    ports: [
      { target: 3000, protocol: "tcp", host: "0.0.0.0", published: { from: 8080, to: 8080 } },
      { target: 3000, protocol: "tcp", host: "127.0.0.1", published: { from: 9000, to: 9010 } },
      { target: 53, protocol: "udp", host: "0.0.0.0", published: null },
    ],
    restart: { ...NO_RESTART, name: "on-failure", limit: 3 },
    capAdd: ["NET_ADMIN"],
    readOnly: true,
    init: true,
    dns: ["9.9.9.9"],
    dnsSearch: ["corp.example"],
    dnsOptions: ["ndots:2"],
    extraHosts: [{ name: "db.local", address: "10.0.0.9" }],
    user: "web",
    workingDir: "/srv",
    resources: {
      ...NO_LIMITS,
      cpus: 0.5,
      memory: 67_108_864,
      pids: 50,
      ulimits: [{ name: "nofile", soft: 1024, hard: -1 }],
      blkio: { ...NO_BLOCK_LIMITS, readBps: [{ path: "/dev/sda", rate: 1_048_576 }] },
    },
  });
  const mount = { volume: null, source: "", readOnly: false, propagation: "rprivate", options: [] };
  const document = containerInspect(
    input({
      service: full,
      mounts: [
        { ...mount, type: "bind", source: "/home/me", target: "/app", readOnly: true },
        { ...mount, type: "volume", volume: "shop_data", source: "/v/shop_data/data", target: "/data" },
        { ...mount, type: "tmpfs", target: "/tmp", options: ["size=65536"] },
      ],
      ports: [
        { target: 3000, protocol: "tcp", host: "0.0.0.0", published: 8080 },
        { target: 3000, protocol: "tcp", host: "127.0.0.1", published: 9003 },
      ],
      networks: [
        {
          name: "shop_default",
          aliases: ["web"],
          wanted: { ipv4Address: "10.99.0.2" },
          ipv4: { address: "10.99.0.2", prefixLength: 24, gateway: "10.99.0.1" },
          ipv6: { address: "fd00:99::2", prefixLength: 64, gateway: "fd00:99::1" },
          mac: "02:00:0a:63:00:02",
          names: ["shop-web-1", "web", "0123456789ab"],
        },
      ],
      state: {
        status: "exited",
        pid: null,
        exitCode: 3,
        startedAt: "2026-01-02T03:04:06.000Z",
        finishedAt: "2026-01-02T03:04:07.000Z",
        oomKilled: true,
        error: "",
        restartCount: 2,
        health: null,
      },
    }),
  );
  golden("inspect/full.json", `${JSON.stringify(document, null, 2)}\n`);
});

it("of one that never ran says so as Docker does", () => {
  const created = input({ state: { ...input().state, status: "created", pid: null, startedAt: null } });
  const document = JSON.parse(JSON.stringify(containerInspect(created)));
  assert.equal(
    [document.State.Running, document.State.Pid, document.State.ExitCode, document.State.StartedAt],
    [false, 0, 0, "0001-01-01T00:00:00Z"],
  );
});

it.run();
