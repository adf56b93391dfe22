/** `healthcheck`, and what `x-wharf.healthcheck` adds to it: probes from outside the container, a restart of what is unhealthy. */
import type { Healthcheck, HealthTest } from "../../model/health.ts";
import { parseDuration } from "../../model/quantity.ts";
import { booleanOf, child, entriesOf, itemsOf, type Node, numberOf, textOf } from "../node.ts";
import { quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** `null`: nothing is said. */
export function readHealthcheck(service: Node, scope: Scope): Healthcheck | null {
  const own = child(service, "healthcheck");
  const outside = child(child(service, "x-wharf"), "healthcheck");
  if (own === undefined && outside === undefined) return null;
  const test = outside === undefined ? null : readOutside(outside, { ...scope, path: `${scope.path}.x-wharf.healthcheck` });
  const retries = numberOf(child(own, "retries"));
  return {
    test: test ?? readTest(own),
    intervalMs: durationOf(child(own, "interval")),
    timeoutMs: durationOf(child(own, "timeout")),
    startPeriodMs: durationOf(child(own, "start_period")),
    startIntervalMs: durationOf(child(own, "start_interval")),
    retries: retries === null || retries < 1 ? null : Math.floor(retries),
    restart: booleanOf(child(outside, "restart")) ?? false,
  };
}

function readTest(own: Node | undefined): HealthTest | null {
  if (booleanOf(child(own, "disable")) === true) return { kind: "none" };
  const test = child(own, "test");
  const line = textOf(test);
  if (line !== null) return line === "" ? null : { kind: "shell", line };
  const [word, ...argv] = itemsOf(test).map((item) => textOf(item) ?? "");
  if (word === "NONE") return { kind: "none" };
  if (word === "CMD-SHELL") return { kind: "shell", line: argv.join(" ") };
  return word === "CMD" && argv.length > 0 ? { kind: "command", argv } : null;
}

function readOutside(node: Node, scope: Scope): HealthTest | null {
  const [http, tcp] = [child(node, "http"), child(node, "tcp")];
  if (http !== undefined && tcp !== undefined) {
    refuse(scope, {
      code: "E_CONFLICT",
      place: tcp.place,
      message: `\`${scope.path}\` has both \`http\` and \`tcp\``,
      hint: "keep one of them",
    });
    return null;
  }
  if (tcp !== undefined) {
    const port = portOf(tcp, `${scope.path}.tcp`, scope);
    return port === null ? null : { kind: "tcp", port };
  }
  return http === undefined ? null : readHttp(http, { ...scope, path: `${scope.path}.http` });
}

/** `8080`, `8080/health`, `http://localhost:8080/health`, or a mapping. */
function readHttp(node: Node, scope: Scope): HealthTest | null {
  const text = textOf(node) ?? numberOf(node)?.toString() ?? null;
  if (text !== null) {
    const [, scheme = "http", port, path = "/"] = URL_FORM.exec(text) ?? [];
    if (port !== undefined && isPort(Number(port)))
      return { kind: "http", scheme: scheme === "https" ? "https" : "http", port: Number(port), path, headers: {} };
    return refuse(scope, {
      place: node.place,
      message: `\`${scope.path}\` is ${quote(text)}: it must be a port of the container with a path`,
      hint: "such as 8080/health or https://localhost:8443/health; the address is always the container's own",
    });
  }
  const at = child(node, "port");
  if (at === undefined)
    return refuse(scope, { place: node.place, message: `\`${scope.path}\` has no \`port\``, hint: "name the port inside the container" });
  const port = portOf(at, `${scope.path}.port`, scope);
  if (port === null) return null;
  const path = textOf(child(node, "path")) ?? "/";
  const headers = Array.from(entriesOf(child(node, "headers")), ([name, { value }]) => [name, textOf(value) ?? `${numberOf(value) ?? ""}`]);
  return {
    kind: "http",
    scheme: textOf(child(node, "scheme")) === "https" ? "https" : "http",
    port,
    path: path.startsWith("/") ? path : `/${path}`,
    headers: Object.fromEntries(headers),
  };
}

const URL_FORM = /^(?:(https?):\/\/(?:localhost|127\.0\.0\.1|\[::1\])?)?:?(\d{1,5})(\/[^\s\u0000-\u001f]*)?$/;

function portOf(node: Node, path: string, scope: Scope): number | null {
  const port = numberOf(node) ?? Number(textOf(node));
  if (isPort(port)) return port;
  return refuse(scope, { place: node.place, message: `\`${path}\` must be a port, 1 to 65535` });
}

const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536;

/** Milliseconds; `null`: not given, or as always (Docker's zero). What is no duration has been refused before. */
function durationOf(node: Node | undefined): number | null {
  const text = textOf(node);
  const ms = text === null ? null : parseDuration(text);
  return typeof ms === "number" && ms > 0 ? ms : null;
}
