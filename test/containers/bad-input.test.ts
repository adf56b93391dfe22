/** Every kind of bad input: its own clear error and exit status, and what ran before runs on untouched. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { inspect, ps } from "../support/listings.ts";
import { freePort, startRegistry } from "../support/registry.ts";
import { webRootfs } from "../support/rootfs.ts";
import { type CallOptions, containerSuite, finish, inWorld, WHARF, type World } from "../support/world.ts";

/** A project that must be refused. */
interface Case {
  readonly name: string;
  /** Services beside the one that runs, as lines of YAML below `services:`. */
  readonly services: string;
  readonly status: number;
  readonly code: string;
  /** What the message must name. */
  readonly names: readonly (string | RegExp)[];
}

const SPEC_WRONG = 3;
const FAILED = 1;

const PLACE = /wharf\.yaml:\d+:\d+/;

const CASES: readonly Case[] = [
  {
    name: "an unknown key",
    services: "  new:\n    image: web\n    prots: []\n",
    status: SPEC_WRONG,
    code: "E_UNKNOWN_KEY",
    names: ["prots", "`ports`", PLACE],
  },
  { name: "a wrong type", services: "  new:\n    image: [web]\n", status: SPEC_WRONG, code: "E_", names: ["image", PLACE] },
  {
    name: "a port out of range",
    services: '  new:\n    image: web\n    ports: ["99999:80"]\n',
    status: SPEC_WRONG,
    code: "E_",
    names: ["99999", PLACE],
  },
  {
    name: "two services on one host port",
    services: '  new:\n    image: web\n    ports: ["18080:80"]\n  other:\n    image: web\n    ports: ["18080:81"]\n',
    status: SPEC_WRONG,
    code: "E_PORT_CONFLICT",
    names: ["18080", "new", "other", PLACE],
  },
  {
    name: "a container name used twice in the project",
    services: "  new:\n    image: web\n    name: same\n  other:\n    image: web\n    name: same\n",
    status: FAILED,
    code: "E_NAME_TAKEN",
    names: ["same", PLACE],
  },
  {
    name: "a command that the image does not have",
    services: "  new:\n    image: web\n    cmd: no-such-program --flag\n",
    status: FAILED,
    code: "E_COMMAND_NOT_FOUND",
    names: ["no-such-program"],
  },
  {
    name: "a bind mount whose source is missing",
    services: "  new:\n    image: web\n    volumes:\n      - { type: bind, source: ./no-such-directory, target: /data }\n",
    status: FAILED,
    code: "E_BIND_SOURCE",
    names: ["no-such-directory"],
  },
];

const it = containerSuite("bad input");

for (const { name, services, status, code, names } of CASES) {
  it(
    `${name} is refused with its own error, and what runs is left alone`,
    inWorld(async (world) => {
      const before = await running(world);
      await world.project("base", { "wharf.yaml": SPEC + services });
      const refused = await world.wharf(["up", "-d"], { cwd: before.cwd });
      assert.is(refused.status, status, refused.stderr);
      for (const text of [code, ...names]) assert.match(refused.stderr, text);
      await untouched(world, before);
    }),
  );
}

it(
  "a container name that another project has is refused, and the project is named",
  inWorld(async (world) => {
    const before = await running(world);
    const cwd = await world.project("other", { "wharf.yaml": "services:\n  web:\n    image: web\n    name: base-steady-1\n" });
    const refused = await world.wharf(["up", "-d"], { cwd });
    assert.is(refused.status, FAILED, refused.stderr);
    for (const text of ["E_NAME_TAKEN", "base-steady-1", "project base", PLACE]) assert.match(refused.stderr, text);
    await untouched(world, before);
  }),
);

it(
  "a host port that another project has is refused, and its container is named",
  inWorld(async (world) => {
    const port = await freePort();
    const before = await running(world, `    ports: ["${port}:3000"]\n`);
    const cwd = await world.project("other", { "wharf.yaml": `services:\n  web:\n    image: web\n    ports: ["${port}:3000"]\n` });
    const refused = await world.wharf(["up", "-d"], { cwd });
    assert.is(refused.status, FAILED, refused.stderr);
    for (const text of ["E_PORT_TAKEN", String(port), "base-steady-1", PLACE]) assert.match(refused.stderr, text);
    assert.equal(await ps(world, ["-a"], { cwd }), []);
    await world.ok(["down"], { cwd });
    await untouched(world, before);
  }),
);

it(
  "a host port that a foreign process listens on is refused",
  inWorld(async (world) => {
    const before = await running(world);
    const server = createServer();
    const port = await listen(server);
    const cwd = await world.project("other", { "wharf.yaml": `services:\n  web:\n    image: web\n    ports: ["${port}:3000"]\n` });
    const refused = await world.wharf(["up", "-d"], { cwd });
    server.close();
    assert.is(refused.status, FAILED, refused.stderr);
    for (const text of ["E_PORT_TAKEN", String(port), String(process.pid)]) assert.match(refused.stderr, text);
    await world.ok(["down"], { cwd });
    await untouched(world, before);
  }),
);

it(
  "an image that the registry does not have is refused by name",
  inWorld(async (world) => {
    const before = await running(world);
    const registry = await startRegistry();
    const refused = await upWith(world, `${registry.host}/no/such:1`).finally(registry.stop);
    assert.is(refused.status, FAILED, refused.stderr);
    for (const text of ["E_IMAGE_NOT_FOUND", `${registry.host}/no/such:1`]) assert.match(refused.stderr, text);
    await untouched(world, before);
  }),
);

it(
  "a registry that is down is named with its port",
  inWorld(async (world) => {
    const before = await running(world);
    const host = `127.0.0.1:${await freePort()}`;
    const refused = await upWith(world, `${host}/web:1`);
    assert.is(refused.status, FAILED, refused.stderr);
    for (const text of ["E_REGISTRY_UNREACHABLE", host]) assert.match(refused.stderr, text);
    await untouched(world, before);
  }),
);

it(
  "a registry that answers garbage is not believed",
  inWorld(async (world) => {
    const before = await running(world);
    const garbage: RequestListener = (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>hello</html>");
    const server = createServer(garbage);
    const host = `127.0.0.1:${await listen(server)}`;
    const refused = await upWith(world, `${host}/web:1`);
    server.closeAllConnections();
    server.close();
    assert.is(refused.status, FAILED, refused.stderr);
    for (const text of [/E_(REGISTRY_ANSWER|IMAGE_MANIFEST)/, host]) assert.match(refused.stderr, text);
    await untouched(world, before);
  }),
);

it(
  "without privilege it says so, and how to get it",
  inWorld(async (world) => {
    const before = await running(world);
    await chmod(dirname(world.root), 0o755); // what it may read is not the question
    const child = spawn("setpriv", ["--reuid=65534", "--clear-groups", process.execPath, WHARF, "up", "-d"], {
      cwd: before.cwd,
      env: world.env,
    });
    const refused = await finish(child);
    assert.is(refused.status, 69, refused.stderr);
    assert.match(refused.stderr, "E_NO_PRIVILEGE");
    await untouched(world, before);
  }),
);

it(
  "without runc and crun it says what to install",
  inWorld(async (world) => {
    const before = await running(world);
    await world.project("other", { "wharf.yaml": "services: { web: { image: web } }\n" });
    // In a mount namespace of its own, where nothing that could be executed lies at their places.
    const hide =
      "for p in runc crun; do for d in /usr/sbin /usr/bin; do if [ -e $d/$p ]; then mount --bind /dev/null $d/$p; fi; done; done";
    const child = spawn("unshare", ["--mount", "sh", "-c", `${hide}; exec "$@"`, "sh", process.execPath, WHARF, "up", "-d"], {
      cwd: join(world.root, "..", "other"),
      env: world.env,
    });
    const refused = await finish(child);
    assert.is(refused.status, 69, refused.stderr);
    for (const text of ["runc", "apt-get install"]) assert.match(refused.stderr, text);
    await untouched(world, before);
  }),
);

it(
  "a program that is not there ends exec and run with 127, one that cannot be executed with 126",
  inWorld(async (world) => {
    const before = await running(world);
    for (const verb of [["exec"], ["run", "--rm"]]) {
      const call = (program: string) => world.wharf([...verb, "steady", program], { cwd: before.cwd });
      const missing = await call("nosuch");
      assert.is(missing.status, 127, missing.stderr);
      assert.match(missing.stderr, "E_COMMAND_NOT_FOUND");
      const unfit = await call("/etc/passwd");
      assert.is(unfit.status, 126, unfit.stderr);
      assert.match(unfit.stderr, "E_COMMAND_NOT_EXECUTABLE");
    }
    await untouched(world, before);
  }),
);

it(
  "a wrong command line ends with 64 and a word that may be meant",
  inWorld(async (world) => {
    for (const [args, meant] of [
      [["upp"], "up"],
      [["up", "--detatch"], "--detach"],
      [["up", "--scale"], "--scale"],
    ] as const) {
      const refused = await world.wharf(args);
      assert.is(refused.status, 64, refused.stderr);
      assert.match(refused.stderr, meant);
    }
  }),
);

it.run();

const SPEC = "services:\n  steady:\n    image: web\n";

interface Before {
  readonly cwd: string;
  readonly id: string;
  readonly startedAt: string;
  readonly pid: number;
}

/** A project with one container that must live on, whatever is asked for beside it. */
async function running(world: World, further = ""): Promise<Before> {
  await world.ok(["image", "import", "-", "web", "--cmd", "/usr/bin/colors", "--env", "COLOR=green"], { input: webRootfs() });
  const cwd = await world.project("base", { "wharf.yaml": SPEC + further });
  await world.ok(["up", "-d"], { cwd });
  return { cwd, ...(await stateOf(world)) };
}

async function untouched(world: World, { cwd, ...state }: Before): Promise<void> {
  assert.equal(await stateOf(world), state);
  await world.project("base", { "wharf.yaml": SPEC });
  await world.ok(["down", "--remove-orphans"], { cwd });
}

async function stateOf(world: World): Promise<Omit<Before, "cwd">> {
  const { Id, State } = await inspect(world, "base-steady-1");
  assert.is(State.Status, "running");
  return { id: Id, startedAt: State.StartedAt, pid: State.Pid };
}

/** `up` of a project that has one service of this image, and `down` of what there is of it. */
async function upWith(world: World, image: string, options: CallOptions = {}): ReturnType<World["wharf"]> {
  const cwd = await world.project("other", { "wharf.yaml": `services:\n  web:\n    image: ${image}\n` });
  const result = await world.wharf(["up", "-d"], { cwd, ...options });
  await world.ok(["down"], { cwd });
  return result;
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, "0.0.0.0");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  return address.port;
}
