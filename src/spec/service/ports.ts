import { isAddress } from "../../lib/address.ts";
import type { ExposedPort, Port, Protocol } from "../../model/service.ts";
import type { Forms } from "../canonical.ts";
import { child, itemsOf, type Mapping, type Node, type Place, put, record, scalar, textOf } from "../node.ts";
import { step } from "../path.ts";
import { listing, quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** A published port in Compose's long form, one container port each. */
export interface LongPort {
  readonly target: number;
  /** A port, a range, or empty for any. */
  readonly published: string;
  readonly hostIp: string;
  readonly protocol: Protocol;
  readonly mode: string;
  readonly name: string;
  readonly appProtocol: string;
  readonly place: Place;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp"];

/** More ports than exist: a spec that asks for more repeats itself. */
const MOST_PORTS = 65_536;

/** The published ports of a service, ranges written out. */
export function readPorts(node: Node | undefined, scope: Scope): readonly LongPort[] {
  const ports: LongPort[] = [];
  for (const [index, item] of itemsOf(node).entries()) {
    const path = step(`${scope.path}.ports`, index);
    if (item.kind === "mapping" && child(item, "target") === undefined) {
      const message = `\`${path}\` does not say which port of the container it is`;
      refuse(scope, { code: "E_PORT", place: item.place, message, hint: LONG_HINT });
      continue;
    }
    const read = readParts(item);
    if (read === null) continue;
    if ("problem" in read) {
      const message = `\`${path}${read.key}\` is ${quote(read.value)}: ${read.problem}`;
      refuse(scope, { code: "E_PORT", place: read.place ?? item.place, message, hint: read.hint });
      continue;
    }
    const { target, published, ...rest } = read;
    for (let at = 0; at <= target.to - target.from && ports.length < MOST_PORTS; at++)
      ports.push({ ...rest, target: target.from + at, published: publishedOf(published, target, at), place: item.place });
  }
  return ports;
}

export function portModel({ target, protocol, hostIp, published }: LongPort): Port {
  const range = published === "" || published === "0" ? null : parseRange(published);
  return { target, protocol, host: hostIp, published: range === null || "problem" in range ? null : range };
}

/** An entry of `ports` in long forms, one for each container port. What cannot be read is refused and left out. */
export function longPorts(item: Node, path: string, forms: Forms): readonly Node[] {
  if (item.kind === "mapping") return [completed(item)];
  const text = textOf(item);
  if (item.kind !== "scalar" || text === null || (forms.lenient && text.includes("$"))) return [item];
  const parts = shortForm(text);
  if ("problem" in parts) {
    refuse(forms, { code: "E_PORT", place: item.place, message: `\`${path}\` is ${quote(text)}: ${parts.problem}`, hint: parts.hint });
    return [];
  }
  const { target, published, hostIp, protocol } = parts;
  forms.left.ports -= target.to - target.from + 1;
  if (forms.left.ports < 0) {
    refuse(forms, {
      code: "E_PORT",
      place: item.place,
      message: `\`${path}\` is ${quote(text)}: the file has more ports than a machine`,
      hint: SHORT_HINT,
    });
    return [];
  }
  const at = (value: string | number): Node => scalar(value, item.place);
  return Array.from({ length: target.to - target.from + 1 }, (_, index) => {
    const host = publishedOf(published, target, index);
    return record(
      {
        mode: at("ingress"),
        host_ip: hostIp === "" ? undefined : at(hostIp),
        target: at(target.from + index),
        published: host === "" ? undefined : at(host),
        protocol: at(protocol),
      },
      item.place,
    );
  });
}

/** A long form with Compose's defaults. */
function completed(item: Mapping): Node {
  let result = item;
  for (const [key, value] of [
    ["mode", "ingress"],
    ["protocol", "tcp"],
  ] as const)
    if (!item.entries.has(key)) result = put(result, key, scalar(value, item.place));
  const published = child(item, "published");
  if (published?.kind !== "scalar" || typeof published.value !== "number") return result;
  return put(result, "published", { ...published, value: published.text });
}

/** What makes two entries of `ports` the same when files are merged; `null` when the entry cannot be read. */
export function portKey(item: Node): string | null {
  const read = readParts(item);
  if (read === null || "problem" in read) return null;
  const { target, published, hostIp, protocol } = read;
  return `${hostIp}:${published === null ? "" : span(published)}:${span(target)}/${protocol}`;
}

/** Ports of `expose`: `3000`, `53/udp`, `3000-3005`. */
export function readExpose(node: Node | undefined, scope: Scope): readonly ExposedPort[] {
  const ports: ExposedPort[] = [];
  for (const [index, item] of itemsOf(node).entries()) {
    const text = textOf(item) ?? "";
    const read = portAndProtocol(text);
    if ("problem" in read) {
      const message = `\`${step(`${scope.path}.expose`, index)}\` is ${quote(text)}: ${read.problem}`;
      refuse(scope, { code: "E_PORT", place: item.place, message, hint: read.hint });
      continue;
    }
    for (let port = read.range.from; port <= read.range.to && ports.length < MOST_PORTS; port++)
      ports.push({ port, protocol: read.protocol });
  }
  return ports;
}

interface Parts extends Pick<LongPort, "hostIp" | "protocol" | "mode" | "name" | "appProtocol"> {
  readonly target: Range;
  readonly published: Range | null;
}

interface Problem {
  readonly problem: string;
  readonly hint: string;
  /** Where the value at fault is inside a long form: `.target`. Empty for a short one. */
  readonly key: string;
  readonly value: string;
  readonly place: Place | null;
}

const LONG_HINT = "a port has a `target`, and `published`, `host_ip` and `protocol` where needed";
const SHORT_HINT = "the form is [[host:]published:]target[/protocol], such as 8080:80 or 127.0.0.1:8080:80/udp";

function shortForm(text: string): Parts | Problem {
  const fail = (problem: string): Problem => ({ problem, hint: SHORT_HINT, key: "", value: text, place: null });
  const bracket = /^\[([^\]]*)\]:(.*)$/.exec(text);
  const fields = (bracket?.[2] ?? text).split(":");
  const last = portAndProtocol(fields.pop() ?? "");
  if ("problem" in last) return fail(last.problem);
  const publishedText = fields.pop() ?? "";
  const hostIp = bracket?.[1] ?? fields.join(":");
  if (bracket !== null && fields.length > 0) return fail("there is more between the address and the ports than fits");
  if (hostIp !== "" && !isAddress(hostIp)) return fail(`${quote(hostIp)} is not an IP address`);
  const published = publishedText === "" || publishedText === "0" ? null : parseRange(publishedText);
  if (published !== null && "problem" in published) return fail(published.problem);
  return matching({ target: last.range, published, hostIp, protocol: last.protocol, mode: "ingress", name: "", appProtocol: "" }, fail);
}

/** `null` when the entry is not even of the right kind, which the schema has said. */
function readParts(item: Node): Parts | Problem | null {
  if (item.kind === "mapping") return textOf(child(item, "target")) === null ? null : longForm(item);
  const text = textOf(item);
  return text === null ? null : shortForm(text);
}

function longForm(node: Node): Parts | Problem {
  const at = (key: string): string => textOf(child(node, key)) ?? "";
  const fail =
    (key: string) =>
    (problem: string): Problem => ({
      problem,
      hint: LONG_HINT,
      key: `.${key}`,
      value: at(key),
      place: child(node, key)?.place ?? null,
    });
  const target = parseRange(at("target"));
  if ("problem" in target) return fail("target")(target.problem);
  const published = at("published") === "" || at("published") === "0" ? null : parseRange(at("published"));
  if (published !== null && "problem" in published) return fail("published")(published.problem);
  if (at("host_ip") !== "" && !isAddress(at("host_ip"))) return fail("host_ip")("it must be an IP address");
  const protocol = protocolOf(at("protocol") === "" ? "tcp" : at("protocol"));
  if (protocol === null) return fail("protocol")(PROTOCOL_RULE);
  const mode = at("mode") === "" ? "ingress" : at("mode");
  return matching(
    { target, published, hostIp: at("host_ip"), protocol, mode, name: at("name"), appProtocol: at("app_protocol") },
    fail("published"),
  );
}

/** Ranges on both sides must be of one length; one container port may choose from a range of the host. */
function matching(parts: Parts, fail: (problem: string) => Problem): Parts | Problem {
  const { target, published } = parts;
  if (published === null || target.from === target.to) return parts;
  const [inside, outside] = [target.to - target.from + 1, published.to - published.from + 1];
  return inside === outside ? parts : fail(`${outside} ports on the host cannot stand for ${inside} in the container`);
}

function portAndProtocol(
  text: string,
): { readonly range: Range; readonly protocol: Protocol } | { readonly problem: string; readonly hint: string } {
  const [ports = "", name = "tcp", ...more] = text.split("/");
  const protocol = more.length === 0 ? protocolOf(name) : null;
  if (protocol === null) return { problem: PROTOCOL_RULE, hint: SHORT_HINT };
  const range = parseRange(ports);
  return "problem" in range ? { ...range, hint: SHORT_HINT } : { range, protocol };
}

const RANGE = /^([0-9]{1,9})(?:-([0-9]{1,9}))?$/;

function parseRange(text: string): Range | { readonly problem: string } {
  const found = RANGE.exec(text);
  const first = found?.[1];
  if (first === undefined)
    return { problem: text === "" ? "there is no port where one is needed" : `${quote(text)} is not a port: a port is 1 to 65535` };
  const range = { from: Number(first), to: Number(found?.[2] ?? first) };
  if (Math.min(range.from, range.to) < 1 || Math.max(range.from, range.to) > 65535) return { problem: "a port is 1 to 65535" };
  return range.from > range.to ? { problem: "a range goes from the lower port to the higher one" } : range;
}

const PROTOCOL_RULE = `the protocol is ${listing(PROTOCOLS, "or")}`;

function protocolOf(text: string): Protocol | null {
  return PROTOCOLS.find((protocol) => protocol === text.toLowerCase()) ?? null;
}

function publishedOf(published: Range | null, target: Range, at: number): string {
  if (published === null) return "";
  return target.from === target.to ? span(published) : String(published.from + at);
}

function span({ from, to }: Range): string {
  return from === to ? String(from) : `${from}-${to}`;
}
