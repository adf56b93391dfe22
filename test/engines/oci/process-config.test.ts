import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DEFAULT_PATH, mergeConfig } from "../../../src/engines/oci/process-config.ts";
import { Failure } from "../../../src/model/diagnostic.ts";
import { service } from "./fixtures.ts";

const it = suite("what a container runs");
const facts = { hostname: "0123456789ab", tty: false };
const image = { Entrypoint: ["/entry"], Cmd: ["serve"] };

it("with nothing said it is the image's entrypoint and command", () => {
  const config = mergeConfig(image, service(), facts);
  assert.equal(config.argv, ["/entry", "serve"]);
  assert.equal([config.entrypoint, config.command], [["/entry"], ["serve"]]);
});

it("a command of the service goes to the image's entrypoint", () => {
  assert.equal(mergeConfig(image, service({ command: ["check", "now"] }), facts).argv, ["/entry", "check", "now"]);
});

it("an empty command takes the image's away", () => {
  assert.equal(mergeConfig(image, service({ command: [] }), facts).argv, ["/entry"]);
});

it("an entrypoint of the service shuts out the image's command", () => {
  assert.equal(mergeConfig(image, service({ entrypoint: ["/mine"] }), facts).argv, ["/mine"]);
  assert.equal(mergeConfig(image, service({ entrypoint: ["/mine"], command: ["it"] }), facts).argv, ["/mine", "it"]);
});

it("an empty entrypoint, written either way, leaves the service's command alone", () => {
  for (const entrypoint of [[], [""]])
    assert.equal(mergeConfig(image, service({ entrypoint, command: ["cat", "page"] }), facts).argv, ["cat", "page"]);
});

it("nothing to run is an error that names the service and image and says how to give a command", () => {
  for (const [metadata, wanted] of [
    [{}, service()],
    [image, service({ entrypoint: [] })],
    [{ Cmd: ["serve"] }, service({ command: [] })],
  ] as const) {
    const failure = thrown(() => mergeConfig(metadata, wanted, facts));
    assert.ok(failure.has("E_NOTHING_TO_RUN"));
    assert.match(failure.message, /service web .* docker\.io\/library\/colors:latest/);
    assert.match(failure.diagnostics[0]?.hint ?? "", /cmd: sleep infinity.*wharf run -it web sh/);
  }
});

it("the service's variables replace the image's in their place, and null removes one", () => {
  const env = ["PATH=/opt/bin", "COLOR=green", "DEBUG=1", "TEXT=a=b"];
  const config = mergeConfig({ ...image, Env: env }, service({ environment: { COLOR: "blue", DEBUG: null, EXTRA: "" } }), facts);
  assert.equal(config.env, ["PATH=/opt/bin", "HOSTNAME=0123456789ab", "COLOR=blue", "TEXT=a=b", "EXTRA="]);
  assert.equal(config.declaredEnv, ["PATH=/opt/bin", "COLOR=blue", "TEXT=a=b", "EXTRA="]);
});

it("a program finds a path and its host's name, and on a terminal the terminal's kind", () => {
  assert.equal(mergeConfig(image, service(), facts).env, [`PATH=${DEFAULT_PATH}`, "HOSTNAME=0123456789ab"]);
  assert.ok(mergeConfig(image, service(), { ...facts, tty: true }).env.includes("TERM=xterm"));
  const removed = mergeConfig(image, service({ environment: { PATH: null, TERM: "vt100" } }), { ...facts, tty: true });
  assert.equal(removed.env, ["HOSTNAME=0123456789ab", "TERM=vt100"]);
});

it("an image's variable without a name or a value says nothing", () => {
  assert.equal(mergeConfig({ ...image, Env: ["PATH", "=x", ""] }, service(), facts).declaredEnv, []);
});

it("the working directory and user are the service's, else the image's, else / and root", () => {
  assert.is(mergeConfig(image, service(), facts).cwd, "/");
  assert.is(mergeConfig({ ...image, WorkingDir: "srv/../app/" }, service(), facts).cwd, "/app");
  assert.is(mergeConfig({ ...image, WorkingDir: "/app" }, service({ workingDir: "/work" }), facts).cwd, "/work");
  assert.is(mergeConfig({ ...image, User: "" }, service(), facts).user, null);
  assert.is(mergeConfig({ ...image, User: "web" }, service(), facts).user, "web");
  assert.is(mergeConfig({ ...image, User: "web" }, service({ user: "1000:1000" }), facts).user, "1000:1000");
});

it("the stop signal is the service's, else the image's in any spelling, else SIGTERM", () => {
  assert.is(mergeConfig(image, service(), facts).stopSignal, "SIGTERM");
  for (const [written, name] of [
    ["SIGQUIT", "SIGQUIT"],
    ["quit", "SIGQUIT"],
    ["3", "SIGQUIT"],
    ["RTMIN+3", "SIGRTMIN+3"],
    ["37", "SIGRTMIN+3"],
    ["SIGNOTHING", "SIGTERM"],
  ] as const)
    assert.is(mergeConfig({ ...image, StopSignal: written }, service(), facts).stopSignal, name);
  assert.is(mergeConfig({ ...image, StopSignal: "QUIT" }, service({ stopSignal: "SIGINT" }), facts).stopSignal, "SIGINT");
});

it("labels and exposed ports of both are there, and the service's label wins", () => {
  const config = mergeConfig(
    { ...image, Labels: { a: "image", b: "image" }, ExposedPorts: { "3000/tcp": {}, "53/udp": {}, "80": {}, nonsense: {} } },
    service({
      labels: { b: "service" },
      expose: [{ port: 9000, protocol: "tcp" }],
      ports: [{ target: 3000, protocol: "tcp", host: "0.0.0.0", published: null }],
    }),
    facts,
  );
  assert.equal(config.labels, { a: "image", b: "service" });
  assert.equal(
    config.exposedPorts.map(({ port, protocol }) => `${port}/${protocol}`),
    ["53/udp", "80/tcp", "3000/tcp", "9000/tcp"],
  );
});

it("a volume that the image declares needs an anonymous one unless the service mounts something there", () => {
  const mounts = [{ type: "tmpfs", target: "/cache", readOnly: false, size: null, mode: null, options: [] }] as const;
  const volumes = { "/data/": {}, "/cache": {}, "../../escape": {}, "/": {} };
  assert.equal(mergeConfig({ ...image, Volumes: volumes }, service({ mounts }), facts).volumes, ["/data", "/escape"]);
});

function thrown(work: () => unknown): Failure {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

it.run();
