import type { Service } from "../model/service.ts";
import { sourceOf } from "./change.ts";
import { type Planning, placed } from "./planning.ts";

/**
 * Why a container that runs on as it is must be restarted for the sake of the namespaces that it is in, or `null`: those of a container that is
 * made or started anew are new ones, and whoever shared the old ones is alone there.
 */
export function namespacesRenewed(p: Planning, { networkMode, isolation: { pid, ipc } }: Service): string | null {
  if (networkMode?.type === "service" && p.renewed.has(networkMode.of)) return `${networkMode.of}, whose network it shares, begins anew`;
  for (const [sharing, what] of [
    [pid, "process numbers"],
    [ipc, "IPC"],
  ] as const) {
    if (sharing.type !== "service" || !("of" in sharing)) continue;
    if (p.renewed.has(sharing.of)) return `${sharing.of}, whose ${what} it shares, begins anew`;
  }
  return null;
}

/**
 * What lives in the namespaces or mounts of a service that is left aside (`--no-deps`) needs a container of it that is there. `planned`: services
 * that have one by then.
 */
export function refuseMissingLenders(p: Planning, services: readonly Service[], planned: ReadonlySet<string>): void {
  for (const service of services)
    for (const { of, key, what } of lendersOf(service)) {
      if (planned.has(of) || p.observed.containers.some((container) => container.service === of && !container.oneOff)) continue;
      p.problems.push({
        code: "E_LENDER_MISSING",
        message: `cannot share ${what} with service ${of}: container missing`,
        hint: `${service.name} needs it: leave --no-deps out, or bring ${of} up first`,
        ...placed(sourceOf(p.desired, `services.${service.name}.${key}`)),
      });
    }
}

function lendersOf({ networkMode, isolation: { pid, ipc }, volumesFrom = [] }: Service) {
  return [
    ...(networkMode?.type === "service" ? [{ of: networkMode.of, key: "network_mode", what: "network namespace" }] : []),
    ...(pid.type === "service" ? [{ of: pid.of, key: "pid", what: "PID namespace" }] : []),
    ...(ipc.type === "service" ? [{ of: ipc.of, key: "ipc", what: "IPC namespace" }] : []),
    ...volumesFrom.flatMap(({ from, name }) => (from === "service" ? [{ of: name, key: "volumes_from", what: "volume" }] : [])),
  ];
}
