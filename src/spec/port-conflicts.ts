import type { Diagnostic, Report } from "../model/diagnostic.ts";
import { meet } from "../model/ports.ts";
import { type Place, sourceOf } from "./node.ts";
import { type LongPort, portModel } from "./service/ports.ts";
import type { ReadService } from "./service/service.ts";
import { quote } from "./words.ts";

interface Claim {
  readonly service: string;
  readonly port: LongPort;
  readonly host: string;
}

/** Two containers cannot listen on one port of one address. Ranges are left to the engine, which picks what is free. */
export function checkPorts(services: readonly ReadService[], report: Report): void {
  const claims = new Map<string, Claim[]>();
  const told = new Set<Place>(); // the ports of one range stand at one place: one word is enough
  for (const { name: service, ports, rest } of services)
    for (const port of ports) {
      const { published, host, protocol } = portModel(port);
      if (published === null || rest.scale === 0) continue;
      const free = published.to - published.from + 1;
      if (free < rest.scale && !told.has(port.place))
        report.add({
          code: "E_PORT_CONFLICT",
          message: `service ${quote(service)} runs ${rest.scale} containers and has ${free === 1 ? "one host port" : `${free} host ports`} for them: ${port.published}`,
          hint: `publish a range of ports, such as ${published.from}-${published.from + rest.scale - 1}:${port.target}, or leave the host port out`,
          source: sourceOf(port.place),
        });
      if (free < rest.scale) told.add(port.place);
      if (free > 1) continue;
      const key = `${protocol}/${published.from}`;
      const others = claims.get(key) ?? [];
      const other = others.find((claim) => meet(claim.host, host));
      if (other !== undefined) report.add(conflict({ service, port, host }, { key: `${published.from}/${protocol}`, other }));
      others.push({ service, port, host });
      claims.set(key, others);
    }
}

function conflict({ service, port }: Claim, { key, other }: { readonly key: string; readonly other: Claim }): Diagnostic {
  const who =
    other.service === service
      ? `service ${quote(service)} publishes`
      : `services ${quote(other.service)} and ${quote(service)} both publish`;
  return {
    code: "E_PORT_CONFLICT",
    message: `${who} the host port ${key}${other.service === service ? " twice" : ""}`,
    hint: "give one of them another host port",
    source: sourceOf(port.place),
    related: [{ source: sourceOf(other.port.place), message: "first published here" }],
  };
}
