import { suite } from "uvu";
import * as assert from "uvu/assert";
import { errorsOf, line, loadFiles, onlyError, serviceText } from "./support.ts";

const it = suite("consistency");

/** Attributes of the service `web`, each with the error that it is. */
const WRONG: readonly (readonly [attributes: string, error: RegExp])[] = [
  ["networks: [frnt]", /^E_UNKNOWN_NETWORK .* is on the network `frnt`, which the file does not declare/],
  ["volumes: ['dta:/x']", /^E_UNKNOWN_VOLUME .* mounts the volume `dta`/],
  ["secrets: [s]", /^E_UNKNOWN_SECRET .* uses the secret `s`/],
  ["configs: [c]", /^E_UNKNOWN_CONFIG /],
  ["models: [m]", /^E_UNKNOWN_MODEL /],
  ["network_mode: service:api", /^E_UNKNOWN_SERVICE .*(depends on|shares the network of) `api`/],
  ["depends_on: [api]", /^E_UNKNOWN_SERVICE .* depends on `api`, and there is no such service/],
  ["links: [api]", /^E_UNKNOWN_SERVICE .* depends on `api`/],
  ["network_mode: host\nnetworks: [default]", /^E_CONFLICT .*both `network_mode` and `networks`/m],
  ["build: {dockerfile: a, dockerfile_inline: b}", /^E_CONFLICT .*both `dockerfile` and `dockerfile_inline`/m],
  ["build: {additional_contexts: [a=service:api]}", /^E_UNKNOWN_SERVICE .*builds with `api`/m],
  ["platform: linux/arm64\nbuild: {platforms: [linux/amd64]}", /not among the platforms/],
  ["healthcheck: {test: [curl, x]}", /^E_VALUE .*begins with `curl`: a list begins with `CMD`, `CMD-SHELL` or `NONE`/],
  ["scale: 2\ndeploy: {replicas: 3}", /^E_VALUE .*`services.web.scale` is 2 and `services.web.deploy.replicas` is 3/],
  ["scale: -1", /^E_VALUE .*is -1: it must be 0 or more/],
  ["container_name: one\nscale: 2", /^E_CONTAINER_NAME .*for 2 containers/],
  ["mem_limit: 1g\ndeploy: {resources: {limits: {memory: 2g}}}", /^E_CONFLICT .*both say the same thing/],
  ["develop: {watch: [{path: ., action: sync}]}", /^E_MISSING_KEY .*no `target`/],
  ["develop: {watch: [{path: ., action: sync, target: ''}]}", /^E_MISSING_KEY .*no `target`/],
  ["secrets: [{}]", /^E_MISSING_KEY .*`services.web.secrets\[0\]` has no `source`/],
  ["build: {secrets: [{target: x}]}", /E_MISSING_KEY .*`services.web.build.secrets\[0\]` has no `source`/],
  ["build: {ssh: [me]}", /E_VALUE .*`services.web.build.ssh\[0\]` is `me`: it must be name=path, or `default`/],
  ["build: {additional_contexts: [./a]}", /E_VALUE .*has `.\/a` without a place/],
  ["devices: [{source: /dev/a}]", /^E_MISSING_KEY .*`services.web.devices\[0\]` has no `target`/],
  ["healthcheck: {test: x, retries: -1}", /^E_VALUE .*it must be 0 or more/],
  ["deploy: {restart_policy: {max_attempts: -2}}", /^E_VALUE .*it must be 0 or more/],
  ["cap_add: NET_ADMIN", /^E_TYPE .*`services.web.cap_add`.*it must be a list/],
  ["profiles: a", /^E_TYPE .*it must be a list/],
  ["expose: '80'", /^E_TYPE .*it must be a list/],
  ["tmpfs: /x\nvolumes: ['/a:/x']", /^E_MOUNT .*mounts `\/x` twice/],
  ["volumes: [{type: bind, target: /x}]", /^E_MOUNT .*without `source`/],
  ["environment: ['A =1']", /^E_VALUE .*whose name ends with a blank/],
  ["ports: ['99999:80']", /^E_PORT .*a port is 1 to 65535/],
  ["ports: [{target: 80, host_ip: x}]", /^E_PORT .*it must be an IP address/],
  ["ports: [{published: 80}]", /^E_PORT .*`services.web.ports\[0\]` does not say which port of the container/],
  ["stop_grace_period: 10", /^E_TYPE .*it must be a text/],
  ["stop_grace_period: '10'", /^E_VALUE .*a duration needs a unit/],
  ["mem_limit: lots", /^E_VALUE .*a size is a number/],
  ["tty: maybe", /^E_VALUE .*it must be true or false/],
  ["devices: ['a:b:c:d']", /^E_VALUE .*more than three parts/],
  ["security_opt: [label=a, label=a]", /^E_VALUE .*twice/],
  ["oom_score_adj: 2000", /^E_VALUE .*-1000 to 1000/],
  ["labels:", /^E_TYPE .*`services.web.labels` is empty/],
  ["gpus: [{count: 1, device_ids: [a]}]", /^E_CONFLICT .*both `count` and `device_ids`/],
  ["image: ''", /^E_NO_IMAGE .*an empty `image`/],
];

it("what contradicts itself or names what is not there is refused at its place", async () => {
  for (const [attributes, error] of WRONG) {
    const errors = await errorsOf(serviceText(attributes));
    assert.match(errors.map(line).join("\n"), error, attributes);
    assert.ok(errors.every(({ source }) => source !== undefined));
  }
});

it("resources that say nothing, or too much, are refused", async () => {
  const error = async (text: string) => onlyError(`services: {web: {image: x}}\n${text}`);
  assert.match(await error("volumes: {v: {external: true, driver: d}}"), /^E_VALUE .*external and has `driver`/);
  assert.match(await error("secrets: {s: {}}"), /^E_MISSING_KEY .*none of `file` and `environment`/);
  assert.match(await error("secrets: {s: {driver: vault}}"), /^E_MISSING_KEY .*none of `file` and `environment`/);
  assert.match(await error("configs: {c: {file: a, content: b}}"), /^E_CONFLICT .*`file` and `content`/);
  assert.match(await error("networks: {n: {name: a, external: {name: b}}}"), /^E_VALUE .*both `name` and `external.name`/);
});

it("an optional dependency on a service without an active profile is fine", async () => {
  const text =
    "services: {web: {image: x, depends_on: {db: {condition: service_started, required: false}}}, db: {image: x, profiles: [p]}}";
  const { project } = await loadFiles(text);
  assert.equal([project.services.length, project.disabled], [1, ["db"]]);
  const [error] = await errorsOf(text.replace(", required: false", ""));
  assert.match(error?.message ?? "", /which no active profile has/);
});

it("two services on one host port keep a project from being run, and not from being shown", async () => {
  const { refusals, config } = await loadFiles("services: {a: {image: x, ports: ['80:80']}, b: {image: x, ports: ['80:81']}}");
  assert.equal(refusals.map(line), ["E_PORT_CONFLICT 1:67-74 services `a` and `b` both publish the host port 80/tcp"]);
  assert.ok(config !== null);
});

it("what is valid and seldom meant is a warning", async () => {
  const { warnings } = await loadFiles({
    "/p/shop/wharf.yaml":
      "services:\n  web:\n    image: x\n    environment: {A: yes, B: 'yes'}\n    restart: no\n    ports: [22:22]\n    volumes: ['./none:/x', './there:/y', '/a:/z:bogus']\n    env_file: dos.env\n    depends_on: {db: {condition: service_healthy}}\n  db: {image: x}\n",
    "/p/shop/dos.env": "K=v\r\n",
    "/p/shop/there": "",
    "/a": "",
  });
  assert.equal(
    warnings.filter(({ code }) => code !== "W_UNSUPPORTED").map((warning) => line(warning).replace(/ without quotes.*/, "")),
    [
      "W_AMBIGUOUS 4:22-25 `services.web.environment.A` is `yes`",
      "W_AMBIGUOUS 6:13-18 `services.web.ports[0]` is `22:22`",
      "W_NO_SOURCE 7:16-22 `/p/shop/none` is mounted and does not exist",
      "W_MOUNT_OPTION 7:49-54 `services.web.volumes[2]` has `bogus`, which is no option of a mount: it has no effect",
      "W_LINE_ENDS 8:15-22 `dos.env` has the line ends of Windows",
      "W_NO_HEALTHCHECK 9:34-49 service `web` waits for `db` to be healthy, and `db` has no `healthcheck`: only its image could have one",
    ],
  );
});

it("a mistyped key is said once, with what may be meant", async () => {
  const errors = await errorsOf("services: {web: {imge: x}}");
  assert.equal(
    errors.map(({ code, hint }) => `${code} ${hint}`),
    ["E_UNKNOWN_KEY did you mean `image`?"],
  );
});

it.run();
