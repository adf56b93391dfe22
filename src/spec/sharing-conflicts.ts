import type { Report } from "../model/diagnostic.ts";
import { child } from "./node.ts";
import { refuse } from "./service/scope.ts";
import type { ReadService } from "./service/service.ts";
import { quote } from "./words.ts";

/** A service's IPC is shared only where it says so, as Docker has it. */
export function checkSharing(services: readonly ReadService[], report: Report): void {
  for (const { name, entry, rest } of services) {
    const { ipc } = rest.isolation;
    if (ipc.type !== "service" || !("of" in ipc)) continue;
    const other = services.find((candidate) => candidate.name === ipc.of);
    if (other === undefined || other.rest.isolation.ipc.type !== "private") continue;
    refuse(
      { report },
      {
        code: "E_CONFLICT",
        place: child(entry.value, "ipc")?.place ?? entry.place,
        message: `service ${quote(name)} shares the IPC of ${quote(ipc.of)}, which keeps it to itself`,
        hint: `say \`ipc: shareable\` in ${quote(ipc.of)}`,
      },
    );
  }
}
