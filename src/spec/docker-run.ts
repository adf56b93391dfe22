import { Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import { suggestion } from "../model/suggest.ts";

type Members = { [key: string]: Json };

/** What a flag of `docker run` is in a service: one value, one of several, a truth value, or something of its own. */
type Flag =
  | { readonly kind: "value" | "list" | "flag"; readonly key: string }
  | { readonly kind: "own"; readonly takes: boolean; readonly apply: (draft: Draft, value: string) => void };

interface Draft {
  readonly service: Members;
  readonly volumes: Set<string>;
  readonly networks: Set<string>;
}

const value = (key: string): Flag => ({ kind: "value", key });
const listed = (key: string): Flag => ({ kind: "list", key });
const flag = (key: string): Flag => ({ kind: "flag", key });
const own = (apply: (draft: Draft, text: string) => void): Flag => ({ kind: "own", takes: true, apply });
/** Has no place in a file: it says how a command behaves. */
const passed: Flag = { kind: "own", takes: false, apply: () => {} };
const dropped: Flag = { kind: "own", takes: true, apply: () => {} };

/** By name, with `_` for `-`. */
const FLAGS: Readonly<Record<string, Flag>> = {
  add_host: listed("extra_hosts"),
  annotation: listed("annotations"),
  blkio_weight: own(({ service }, text) => put(service, ["blkio_config", "weight"], Number(text))),
  cap_add: listed("cap_add"),
  attach: dropped,
  cap_drop: listed("cap_drop"),
  cgroup_parent: value("cgroup_parent"),
  cgroupns: value("cgroup"),
  cidfile: dropped,
  cpu_period: value("cpu_period"),
  cpu_quota: value("cpu_quota"),
  cpu_shares: value("cpu_shares"),
  cpus: value("cpus"),
  cpuset_cpus: value("cpuset"),
  detach: passed,
  device: listed("devices"),
  device_cgroup_rule: listed("device_cgroup_rules"),
  dns: listed("dns"),
  dns_option: listed("dns_opt"),
  dns_search: listed("dns_search"),
  domainname: value("domainname"),
  entrypoint: own(({ service }, text) => put(service, ["entrypoint"], [text])),
  env: listed("environment"),
  env_file: listed("env_file"),
  expose: listed("expose"),
  gpus: own(({ service }, text) => put(service, ["gpus"], text === "all" ? "all" : [{ count: Number(text) }])),
  group_add: listed("group_add"),
  health_cmd: own(({ service }, text) => put(service, ["healthcheck", "test"], text)),
  health_interval: own(({ service }, text) => put(service, ["healthcheck", "interval"], text)),
  health_retries: own(({ service }, text) => put(service, ["healthcheck", "retries"], Number(text))),
  health_start_interval: own(({ service }, text) => put(service, ["healthcheck", "start_interval"], text)),
  health_start_period: own(({ service }, text) => put(service, ["healthcheck", "start_period"], text)),
  health_timeout: own(({ service }, text) => put(service, ["healthcheck", "timeout"], text)),
  hostname: value("hostname"),
  init: flag("init"),
  interactive: flag("stdin_open"),
  ip: own((draft, text) => network(draft, { ipv4_address: text })),
  ip6: own((draft, text) => network(draft, { ipv6_address: text })),
  ipc: value("ipc"),
  isolation: value("isolation"),
  label: listed("labels"),
  label_file: listed("label_file"),
  link: listed("external_links"),
  log_driver: own(({ service }, text) => put(service, ["logging", "driver"], text)),
  log_opt: own(({ service }, text) => put(service, ["logging", "options", before(text)], behind(text))),
  mac_address: value("mac_address"),
  memory: value("mem_limit"),
  memory_reservation: value("mem_reservation"),
  memory_swap: value("memswap_limit"),
  memory_swappiness: value("mem_swappiness"),
  mount: own(mount),
  name: value("name"),
  network: own(joined),
  network_alias: own((draft, text) => network(draft, { aliases: [text] })),
  no_healthcheck: { kind: "own", takes: false, apply: ({ service }) => put(service, ["healthcheck", "disable"], true) },
  oom_kill_disable: flag("oom_kill_disable"),
  oom_score_adj: own(({ service }, text) => put(service, ["oom_score_adj"], Number(text))),
  pid: value("pid"),
  pids_limit: own(({ service }, text) => put(service, ["pids_limit"], Number(text))),
  platform: value("platform"),
  privileged: flag("privileged"),
  publish: listed("ports"),
  pull: value("pull_policy"),
  quiet: passed,
  read_only: flag("read_only"),
  restart: value("restart"),
  rm: passed,
  runtime: value("runtime"),
  security_opt: listed("security_opt"),
  shm_size: value("shm_size"),
  sig_proxy: passed,
  stop_signal: value("stop_signal"),
  stop_timeout: own(({ service }, text) => put(service, ["stop_grace_period"], `${text}s`)),
  storage_opt: own(({ service }, text) => put(service, ["storage_opt", before(text)], behind(text))),
  sysctl: listed("sysctls"),
  tmpfs: listed("tmpfs"),
  tty: flag("tty"),
  ulimit: own(ulimit),
  user: value("user"),
  userns: value("userns_mode"),
  uts: value("uts"),
  volume: own(volume),
  volumes_from: own(({ service }, text) => append(service, "volumes_from", `container:${text}`)),
  workdir: value("working_dir"),
};

const SHORT: Readonly<Record<string, string>> = {
  ...{ a: "attach", c: "cpu_shares", d: "detach", e: "env", h: "hostname", i: "interactive", l: "label", m: "memory", p: "publish" },
  ...{ q: "quiet", t: "tty", u: "user", v: "volume", w: "workdir", net: "network", net_alias: "network_alias" },
};

/** A spec of one service, from the words of a `docker run` line. Throws a `Failure` that says which word has no place in one. */
export function fromDockerRun(words: readonly string[]): Json {
  const rest = [...words];
  if (["docker", "podman", "nerdctl"].includes(rest[0] ?? "")) rest.shift();
  if (rest[0] === "container") rest.shift();
  if (rest.shift() !== "run") throw new Failure({ code: "E_USAGE", message: "the line must begin with `docker run`" });
  const draft: Draft = { service: {}, volumes: new Set(), networks: new Set() };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word.startsWith("-") && word.length > 1) takeFlag(draft, word, rest);
    else return project(draft, word, rest);
  }
  throw new Failure({ code: "E_USAGE", message: "the line has no image", hint: "docker run [FLAGS] IMAGE [COMMAND]" });
}

function project({ service, volumes, networks }: Draft, image: string, command: readonly string[]): Json {
  const name = typeof service["name"] === "string" ? service["name"] : nameOf(image);
  const all: Members = { image, ...service };
  if (command.length > 0) all["command"] = command;
  const declared = (names: ReadonlySet<string>): Json => Object.fromEntries(Array.from(names, (key) => [key, {}]));
  return {
    services: { [name]: all },
    ...(networks.size === 0 ? {} : { networks: declared(networks) }),
    ...(volumes.size === 0 ? {} : { volumes: declared(volumes) }),
  };
}

/** One flag, or several short ones in one word (`-it`), with its value in the same word or the next. */
function takeFlag(draft: Draft, word: string, rest: string[]): void {
  if (word.startsWith("--")) {
    const given = word.slice(2);
    const spelled = before(given);
    const name = spelled.replaceAll("-", "_");
    applyFlag(draft, { name: SHORT[name] ?? name, spelled: `--${spelled}`, text: given.includes("=") ? behind(given) : null, rest });
    return;
  }
  for (let at = 1; at < word.length; at++) {
    const name = SHORT[word[at] ?? ""] ?? "";
    const behindIt = word.slice(at + 1).replace(/^=/, "");
    const takes = takesValue(FLAGS[name]);
    applyFlag(draft, { name, spelled: `-${word[at]}`, text: takes && behindIt !== "" ? behindIt : null, rest });
    if (takes) return;
  }
}

interface Given {
  readonly name: string;
  readonly spelled: string;
  readonly text: string | null;
  readonly rest: string[];
}

function applyFlag(draft: Draft, { name, spelled, text, rest }: Given): void {
  const known = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
  if (known === undefined)
    throw new Failure({
      code: "E_USAGE",
      message: `\`${spelled}\` of \`docker run\` has no place in a spec`,
      ...suggestion(
        spelled.replace(/^-+/, ""),
        Object.keys(FLAGS).map((flag) => flag.replaceAll("_", "-")),
        "take it out of the line, and see docs/spec.md for what a service can have",
      ),
    });
  const given = takesValue(known) ? (text ?? rest.shift()) : (text ?? "true");
  if (given === undefined) throw new Failure({ code: "E_USAGE", message: `\`${spelled}\` needs a value` });
  if (known.kind === "own") known.apply(draft, given);
  else if (known.kind === "list") append(draft.service, known.key, given);
  else if (known.kind === "value") draft.service[known.key] = given;
  else if (given !== "false") draft.service[known.key] = true;
}

function takesValue(known: Flag | undefined): boolean {
  return known !== undefined && (known.kind === "own" ? known.takes : known.kind !== "flag");
}

function volume(draft: Draft, text: string): void {
  append(draft.service, "volumes", text);
  const [source = "", target] = text.split(":");
  if (target !== undefined && !/^[./~]/.test(source)) draft.volumes.add(source);
}

function mount({ service, volumes }: Draft, text: string): void {
  const given = new Map(text.split(",").map((part) => [before(part), part.includes("=") ? behind(part) : "true"]));
  const get = (...names: readonly string[]) => names.map((name) => given.get(name)).find((found) => found !== undefined);
  const source = get("source", "src");
  const type = get("type") ?? "volume";
  append(service, "volumes", {
    type,
    ...(source === undefined ? {} : { source }),
    target: get("target", "dst", "destination") ?? "",
    ...(get("readonly", "ro") === "true" ? { read_only: true } : {}),
    ...(get("bind-propagation") === undefined ? {} : { bind: { propagation: get("bind-propagation") ?? "" } }),
    ...(get("volume-nocopy") === "true" ? { volume: { nocopy: true } } : {}),
    ...(get("tmpfs-size") === undefined ? {} : { tmpfs: { size: get("tmpfs-size") ?? "" } }),
  });
  if (type === "volume" && source !== undefined) volumes.add(source);
}

function joined(draft: Draft, text: string): void {
  if (/^(?:host|none|bridge|default)$|^container:/.test(text)) {
    if (text !== "bridge" && text !== "default") draft.service["network_mode"] = text;
    return;
  }
  draft.networks.add(text);
  put(draft.service, ["networks", text], {});
}

/** Details of the network that the line joins, or of the default one. */
function network(draft: Draft, details: Members): void {
  const [name = "default"] = draft.networks;
  for (const [key, detail] of Object.entries(details)) put(draft.service, ["networks", name, key], detail);
}

function ulimit({ service }: Draft, text: string): void {
  const [soft = "", hard] = behind(text).split(":");
  put(service, ["ulimits", before(text)], hard === undefined ? Number(soft) : { soft: Number(soft), hard: Number(hard) });
}

function append(service: Members, key: string, item: Json): void {
  const known = service[key];
  service[key] = [...(Array.isArray(known) ? (known as readonly Json[]) : []), item];
}

function put(members: Members, path: readonly string[], item: Json): void {
  const [key = "", ...more] = path;
  if (more.length === 0) members[key] = item;
  else {
    const known = members[key];
    const inner: Members =
      known !== undefined && known !== null && typeof known === "object" && !Array.isArray(known) ? { ...(known as Members) } : {};
    put(inner, more, item);
    members[key] = inner;
  }
}

function before(text: string): string {
  const equals = text.indexOf("=");
  return equals === -1 ? text : text.slice(0, equals);
}

function behind(text: string): string {
  const equals = text.indexOf("=");
  return equals === -1 ? "" : text.slice(equals + 1);
}

/** The repository's last part: `nginx` of `registry.example/web/nginx:1`. */
function nameOf(image: string): string {
  const last = image.replace(/@.*$/, "").split("/").at(-1) ?? "";
  return last.replace(/:.*$/, "").replace(/[^a-zA-Z0-9._-]/g, "-") || "app";
}
