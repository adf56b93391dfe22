import type { Service } from "../model/service.ts";
import type { Planning } from "./planning.ts";

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
