import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { PreStart } from "../../src/model/service.ts";
import { type Files, loadFiles, onlyError } from "./support.ts";

const it = suite("pre_start steps");

const RESOURCES = "volumes: {data: , more: , spare: }\nnetworks: {back: , side: , spare: }\n";

async function steps(service: string, files: Files = {}): Promise<readonly PreStart[]> {
  const { project } = await loadFiles({ ...files, "/p/shop/wharf.yaml": `services:\n  web: ${service}\n${RESOURCES}` });
  return project.services.find(({ name }) => name === "web")?.preStart ?? [];
}

it("a step is its service, with what it says itself laid over that as by a later file", async () => {
  const own = "{image: i, command: [serve], user: app, extra_hosts: [a=1.1.1.1], volumes: ['data:/d:ro', 'more:/m'], cap_add: [NET_ADMIN]";
  const [plain, told] = await steps(`${own}, pre_start: [{}, {image: j, command: [p], extra_hosts: ['a:2.2.2.2'], volumes: ['data:/d']}]}`);
  assert.equal([plain?.image, plain?.service.command, plain?.service.user], [null, ["serve"], "app"]);
  assert.equal([told?.image, told?.service.command, told?.service.user], ["docker.io/library/j:latest", ["p"], "app"]);
  assert.equal(
    told?.service.extraHosts.map(({ name, address }) => `${name}=${address}`),
    ["a=1.1.1.1", "a=2.2.2.2"],
  );
  const mounts = (step: PreStart | undefined) => step?.service.mounts.map((m) => `${m.target} ${m.type === "volume" && m.readOnly}`).sort();
  assert.equal(
    [mounts(plain), mounts(told)],
    [
      ["/d true", "/m false"],
      ["/d false", "/m false"],
    ],
  );
  assert.equal(told?.service.capAdd, ["NET_ADMIN"]);
});

it("its variables are those of both, those of files before those that are written out", async () => {
  const files = { "/p/shop/s.env": "A=s\nB=s\nC=s\n", "/p/shop/h.env": "B=h\nC=h\nD=h\n" };
  const [step] = await steps(
    "{image: i, env_file: s.env, environment: {C: own}, pre_start: [{env_file: h.env, environment: [E=h]}]}",
    files,
  );
  assert.equal(step?.service.environment, { A: "s", B: "h", C: "own", D: "h", E: "h" });
});

it("a network of its own takes the place of the one that goes without saying, and what only a step uses is there", async () => {
  const networks = ({ service }: PreStart) => service.networks.map(({ network }) => network);
  assert.equal((await steps("{image: i, pre_start: [{}, {networks: [side]}]}")).map(networks), [["default"], ["side"]]);
  assert.equal((await steps("{image: i, networks: [back], pre_start: [{networks: [side]}]}")).map(networks), [["back", "side"]]);
  const { project } = await loadFiles(`services: {web: {image: i, pre_start: [{networks: [side], volumes: ['data:/d']}]}}\n${RESOURCES}`);
  assert.equal(project.networks.map(({ key }) => key).sort(), ["default", "side"]);
  assert.equal(
    project.volumes.map(({ key }) => key),
    ["data"],
  );
});

it("a step cannot name what is not declared, nor say what is the service's own affair", async () => {
  assert.match(await onlyError("services: {web: {image: i, pre_start: [{volumes: ['none:/d']}]}}\n"), /none/);
  assert.match(await onlyError("services: {web: {image: i, pre_start: [{ports: ['80']}]}}\n"), /^E_UNKNOWN_KEY .*`ports`/);
});

it.run();
