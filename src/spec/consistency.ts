import type { Code } from "../model/codes.ts";
import { nearest, suggestion } from "../model/suggest.ts";
import { checkCycles } from "./cycles.ts";
import type { Context, Draft } from "./draft.ts";
import { jobsOf } from "./jobs.ts";
import {
  booleanOf,
  child,
  entriesOf,
  entry,
  isNull,
  itemsOf,
  type Mapping,
  type Node,
  numberOf,
  type Place,
  sourceOf,
  textOf,
} from "./node.ts";
import { step } from "./path.ts";
import { listing, quote } from "./words.ts";

/** What the checks of one service look at. */
export interface Checked {
  readonly name: string;
  readonly service: Mapping;
  readonly place: Place;
  readonly draft: Draft;
  readonly report: Context["report"];
}

/** Checks what services say of each other and of the project, as Compose does. */
export function consistency(draft: Draft, context: Context): Draft {
  const { options, report } = context;
  if (options.consistency === false || options.interpolate === false) return draft;
  for (const [name, { place, value }] of entriesOf(child(draft.tree, "services"))) {
    if (value.kind !== "mapping") continue;
    const checked = { name, service: value, place, draft, report };
    checkImage(checked);
    checkGiven(checked);
  }
  for (const [name, steps] of draft.steps) for (const service of steps) checkGiven({ name, service, place: service.place, draft, report });
  checkCycles(draft, report);
  return draft;
}

/** Checks what a service has: there are many attributes, and most services have few. */
function checkGiven(checked: Checked): void {
  const { entries } = checked.service;
  if (entries.has("build")) checkBuild(checked);
  if (entries.has("networks") || entries.has("network_mode")) checkNetworks(checked);
  if (REFERRING.some((key) => entries.has(key))) checkReferences(checked);
  if (entries.has("depends_on")) checkDependencies(checked);
  if (entries.has("healthcheck")) checkHealth(checked);
  if (entries.has("deploy") || entries.has("scale")) checkScale(checked);
  if (entries.has("volumes") || entries.has("tmpfs")) checkMounts(checked);
  if (entries.has("develop")) checkWatch(checked);
}

const REFERRING = ["build", "configs", "models", "secrets", "volumes"] as const;

export function fail(
  { report }: Pick<Checked, "report">,
  {
    code = "E_CONFLICT",
    place,
    message,
    hint,
  }: { readonly code?: Code; readonly place: Place; readonly message: string; readonly hint?: string },
): void {
  report.add({ code, message, ...(hint === undefined ? {} : { hint }), source: sourceOf(place) });
}

function checkImage(checked: Checked): void {
  const { name, service, place } = checked;
  if (service.entries.has("build") || service.entries.has("provider") || hasMistyped(service)) return;
  const image = service.entries.get("image");
  if (image !== undefined && textOf(image.value) !== "") return;
  fail(checked, {
    code: "E_NO_IMAGE",
    place: image?.value.place ?? place,
    message:
      image === undefined
        ? `service ${quote(name)} has no \`image\` and no \`build\``
        : `service ${quote(name)} has an empty \`image\` and no \`build\``,
    hint: "add `image:`, such as `image: nginx:1.27`, or `build:` with the directory of a Dockerfile",
  });
}

/** Whether a key is meant to be one of these: that it is none has been said. */
function hasMistyped(service: Mapping): boolean {
  return !service.entries.has("image") && Array.from(service.entries.keys()).some((key) => nearest(key, ["image", "build"]) !== null);
}

function checkBuild(checked: Checked): void {
  const { name, service, draft } = checked;
  const build = child(service, "build");
  if (build === undefined) return;
  const [file, inline] = [entry(build, "dockerfile"), entry(build, "dockerfile_inline")];
  if (file !== undefined && inline !== undefined)
    fail(checked, {
      place: inline.place,
      message: `service ${quote(name)} has both \`dockerfile\` and \`dockerfile_inline\``,
      hint: "keep one of them",
    });
  for (const [, { value }] of entriesOf(child(build, "additional_contexts"))) {
    const text = textOf(value) ?? "";
    if (!text.startsWith("service:")) continue;
    const wanted = text.slice("service:".length);
    const other = child(child(draft.tree, "services"), wanted);
    if (other === undefined) unknown(checked, { kind: "service", wanted, place: value.place, what: "builds with" });
    else if (child(other, "build") === undefined)
      fail(checked, { place: value.place, message: `service ${quote(name)} builds with service ${quote(wanted)}, which has no \`build\`` });
  }
  const platform = child(service, "platform");
  const platforms = itemsOf(child(build, "platforms")).map((item) => textOf(item) ?? "");
  const own = textOf(platform);
  if (platform !== undefined && own !== null && own !== "" && platforms.length > 0 && !platforms.includes(own))
    fail(checked, {
      place: platform.place,
      message: `service ${quote(name)} runs on ${quote(own)}, which is not among the platforms that it is built for`,
      hint: `they are ${listing(platforms, "and")}`,
    });
}

function checkNetworks(checked: Checked): void {
  const { name, service, draft } = checked;
  const mode = service.entries.get("network_mode");
  const text = textOf(mode?.value) ?? "";
  const networks = service.entries.get("networks");
  if (mode !== undefined && text !== "" && networks?.value.kind === "mapping" && networks.value.entries.size > 0)
    fail(checked, {
      place: mode.place,
      message: `service ${quote(name)} has both \`network_mode\` and \`networks\``,
      hint: "keep one of them",
    });
  for (const [wanted, { place }] of entriesOf(networks?.value))
    if (!wanted.startsWith("x-") && entry(child(draft.tree, "networks"), wanted) === undefined)
      unknown(checked, { kind: "network", wanted, place, what: "is on" });
  if (mode !== undefined && text.startsWith("service:")) {
    const wanted = text.slice("service:".length);
    if (child(child(draft.tree, "services"), wanted) === undefined)
      unknown(checked, { kind: "service", wanted, place: mode.value.place, what: "shares the network of" });
  }
}

function checkReferences(checked: Checked): void {
  const { service } = checked;
  for (const mount of itemsOf(child(service, "volumes"))) {
    const source = child(mount, "source");
    const wanted = textOf(source);
    if (textOf(child(mount, "type")) === "volume" && source !== undefined && wanted)
      find(checked, { kind: "volume", wanted, place: source.place, what: "mounts" });
  }
  for (const [kind, at] of [
    ["secret", "secrets"],
    ["secret", "build.secrets"],
    ["config", "configs"],
  ] as const) {
    const list = at === "build.secrets" ? child(child(service, "build"), "secrets") : child(service, at);
    for (const [index, item] of itemsOf(list).entries()) {
      if (item.kind !== "mapping") continue;
      const source = child(item, "source");
      const wanted = textOf(source) ?? "";
      if (source !== undefined && wanted !== "") find(checked, { kind, wanted, place: source.place, what: "uses" });
      else
        fail(checked, {
          code: "E_MISSING_KEY",
          place: item.place,
          message: `\`${step(`services.${checked.name}.${at}`, index)}\` has no \`source\``,
          hint: `name one of the top-level \`${kind}s\``,
        });
    }
  }
  for (const [wanted, { place }] of entriesOf(child(service, "models"))) find(checked, { kind: "model", wanted, place, what: "uses" });
}

interface Wanted {
  readonly kind: "service" | "network" | "volume" | "secret" | "config" | "model";
  readonly wanted: string;
  readonly place: Place;
  readonly what: string;
}

function find(checked: Checked, wanted: Wanted): void {
  if (entry(child(checked.draft.tree, `${wanted.kind}s`), wanted.wanted) === undefined) unknown(checked, wanted);
}

const UNKNOWN = {
  service: "E_UNKNOWN_SERVICE",
  network: "E_UNKNOWN_NETWORK",
  volume: "E_UNKNOWN_VOLUME",
  secret: "E_UNKNOWN_SECRET",
  config: "E_UNKNOWN_CONFIG",
  model: "E_UNKNOWN_MODEL",
} as const satisfies Record<Wanted["kind"], Code>;

/** Names listed in a hint at most. */
const MOST_LISTED = 12;

function unknown(checked: Checked, { kind, wanted, place, what }: Wanted): void {
  const { name, draft } = checked;
  const known = Array.from(entriesOf(child(draft.tree, `${kind}s`)), ([key]) => key);
  const isJob = kind === "service" && jobsOf(draft.tree).some((job) => job.name === wanted);
  const off = kind === "service" && draft.disabled.includes(wanted);
  const otherwise = kind === "service" ? `the services are ${listing(known.slice(0, MOST_LISTED), "and")}` : declared(kind, wanted);
  fail(checked, {
    code: UNKNOWN[kind],
    place,
    message: isJob
      ? `service ${quote(name)} ${what} ${quote(wanted)}, which is a job`
      : off
        ? `service ${quote(name)} ${what} ${quote(wanted)}, which no active profile has`
        : kind === "service"
          ? `service ${quote(name)} ${what} ${quote(wanted)}, and there is no such service`
          : `service ${quote(name)} ${what} the ${kind} ${quote(wanted)}, which the file does not declare`,
    ...(isJob
      ? { hint: "jobs run when `wharf run` asks for them: make it a service, or say `required: false`" }
      : off
        ? { hint: "activate one of its profiles with --profile, or say `required: false`" }
        : suggestion(wanted, known, otherwise)),
  });
}

function declared(kind: string, wanted: string): string {
  const add = `add \`${wanted}:\` under the top-level \`${kind}s:\``;
  return kind === "volume" ? `${add}, or write \`./${wanted}\` for a directory of the host` : add;
}

function checkDependencies(checked: Checked): void {
  const { service, draft } = checked;
  const services = child(draft.tree, "services");
  for (const [wanted, { place, value }] of entriesOf(child(service, "depends_on"))) {
    const optional = booleanOf(child(value, "required")) === false;
    if (wanted.startsWith("x-") && isNull(value)) continue;
    if (child(services, wanted) === undefined && !(optional && draft.disabled.includes(wanted)))
      unknown(checked, { kind: "service", wanted, place, what: "depends on" });
  }
}

function checkHealth(checked: Checked): void {
  const test = child(child(checked.service, "healthcheck"), "test");
  const [first] = test?.kind === "list" ? test.items : [];
  if (first === undefined || ["CMD", "CMD-SHELL", "NONE"].includes(textOf(first) ?? "")) return;
  fail(checked, {
    code: "E_VALUE",
    place: first.place,
    message: `\`services.${checked.name}.healthcheck.test\` begins with ${quote(textOf(first) ?? "")}: a list begins with \`CMD\`, \`CMD-SHELL\` or \`NONE\``,
    hint: "write [CMD, …] to run a program, or one text for a shell",
  });
}

function checkScale(checked: Checked): void {
  const { name, service } = checked;
  const path = `services.${name}`;
  const deploy = child(service, "deploy");
  const [scale, replicas] = [entry(service, "scale"), entry(deploy, "replicas")];
  const [own, deployed] = [numberOf(scale?.value), numberOf(replicas?.value)];
  if (scale !== undefined && replicas !== undefined && own !== null && deployed !== null && own !== deployed)
    fail(checked, {
      code: "E_VALUE",
      place: scale.value.place,
      message: `\`${path}.scale\` is ${own} and \`${path}.deploy.replicas\` is ${deployed}: both say how many containers to run`,
      hint: "keep one of them",
    });
  for (const [key, held, count] of [
    ["scale", scale, own],
    ["deploy.replicas", replicas, deployed],
  ] as const)
    if (held !== undefined && count !== null && count < 0)
      fail(checked, { code: "E_VALUE", place: held.value.place, message: `\`${path}.${key}\` is ${count}: it must be 0 or more` });
  if (deploy !== undefined) checkTwice(checked, deploy);
  const containerName = entry(service, "container_name");
  const count = own ?? deployed ?? 1;
  if (containerName !== undefined && count > 1)
    fail(checked, {
      code: "E_CONTAINER_NAME",
      place: containerName.value.place,
      message: `service ${quote(name)} has the one container name ${quote(textOf(containerName.value) ?? "")} for ${count} containers`,
      hint: `leave \`${containerName.spelled}\` out, or run one container`,
    });
}

/** Limits that a service and its \`deploy\` both give must be the same. */
function checkTwice(checked: Checked, deploy: Node): void {
  const { name, service } = checked;
  const path = `services.${name}`;
  const limits = child(child(deploy, "resources"), "limits");
  const reservations = child(child(deploy, "resources"), "reservations");
  const pairs = [
    ["cpus", limits, "limits.cpus"],
    ["mem_limit", limits, "limits.memory"],
    ["mem_reservation", reservations, "reservations.memory"],
    ["pids_limit", limits, "limits.pids"],
  ] as const;
  for (const [key, parent, at] of pairs) {
    const [first, second] = [child(service, key), child(parent, at.slice(at.indexOf(".") + 1))];
    if (first === undefined || second === undefined || sameAmount(first, second)) continue;
    fail(checked, {
      place: first.place,
      message: `\`${path}.${key}\` is ${quote(textOf(first) ?? "")} and \`${path}.deploy.resources.${at}\` is ${quote(textOf(second) ?? "")}: both say the same thing`,
      hint: "keep one of them",
    });
  }
}

function sameAmount(first: Node, second: Node): boolean {
  const [a, b] = [textOf(first) ?? "", textOf(second) ?? ""];
  return a === b || amount(a) === amount(b);
}

function amount(text: string): number {
  const [, number = "NaN", unit = ""] = /^([0-9.]+)\s*([kmgt]?)i?b?$/i.exec(text.trim()) ?? [];
  return Number(number) * 1024 ** " kmgt".indexOf(unit === "" ? " " : unit.toLowerCase());
}

function checkMounts(checked: Checked): void {
  const { name, service } = checked;
  const taken = new Map<string, Place>();
  const take = (target: string | null, place: Place) => {
    if (target === null) return;
    const before = taken.get(target);
    if (before === undefined) taken.set(target, place);
    else
      checked.report.add({
        code: "E_MOUNT",
        message: `service ${quote(name)} mounts ${quote(target)} twice`,
        hint: "keep one of the two",
        source: sourceOf(place),
        related: [{ source: sourceOf(before), message: "first mounted here" }],
      });
  };
  for (const item of itemsOf(child(service, "tmpfs"))) take(textOf(item)?.split(":")[0] ?? null, item.place);
  for (const mount of itemsOf(child(service, "volumes"))) {
    take(textOf(child(mount, "target")), mount.place);
    if (textOf(child(mount, "type")) === "bind" && !textOf(child(mount, "source")))
      fail(checked, {
        code: "E_MOUNT",
        place: mount.place,
        message: `service ${quote(name)} has a bind mount without \`source\``,
        hint: "add `source:` with a path on the host",
      });
  }
}

function checkWatch(checked: Checked): void {
  for (const [index, item] of itemsOf(child(child(checked.service, "develop"), "watch")).entries()) {
    const action = textOf(child(item, "action"));
    if (textOf(child(item, "target")) || action === null || action === "rebuild" || action === "restart") continue;
    fail(checked, {
      code: "E_MISSING_KEY",
      place: child(item, "action")?.place ?? item.place,
      message: `\`services.${checked.name}.develop.watch[${index}]\` has the action ${quote(action)} and no \`target\``,
      hint: "add `target:` with the path inside the container",
    });
  }
}
