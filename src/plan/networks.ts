import { LABEL } from "../model/labels.ts";
import { changed, type Planning, stepKey } from "./planning.ts";

/** Plans the project's networks: made where missing, taken as they are where they exist. */
export function planNetworks(p: Planning): void {
  for (const { key, name } of p.desired.networks) {
    const address = `network/${name}`;
    const found = p.observed.networks.find((network) => network.name === name);
    if (found === undefined) {
      const labels = { [LABEL.project]: p.desired.name, [LABEL.network]: key };
      const reason = "not there yet";
      p.draft.step(stepKey("network.create", name), {
        action: { kind: "network.create", network: name, key, labels },
        reason,
        service: null,
      });
      changed(p, "create", { address, reason });
      continue;
    }
    changed(p, "unchanged", { address, reason: "there already" });
    if (found.project !== p.desired.name) p.notices.push(foreign({ kind: "network", name, owner: found.project, project: p.desired.name }));
  }
}

/** The warning that something of this name is used though it was not made for the project. */
export function foreign(of: { readonly kind: string; readonly name: string; readonly owner: string | null; readonly project: string }) {
  const { kind, name, owner, project } = of;
  return {
    code: "W_NOT_OURS",
    message: `${kind} ${name} was made ${owner === null ? "outside any project" : `for project ${owner}`}, not for ${project}`,
    hint: "it is used as it is, and `wharf down` leaves it alone",
  } as const;
}
