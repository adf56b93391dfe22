import type { Joined } from "../../../model/action.ts";
import { Failure } from "../../../model/diagnostic.ts";
import type { Layout } from "../layout.ts";
import { type ContainerRecord, findContainer, heldPorts } from "../records.ts";
import { isLeased, type Lessee, lease, readNetwork } from "./networks.ts";

/** Gives a new container its addresses in a network. One that it asks for and that runs elsewhere has time until it starts. */
export async function leaseAhead(layout: Layout, record: ContainerRecord, joined: Joined): Promise<void> {
  try {
    await lease(layout, lesseeOf(layout, record, joined));
  } catch (error) {
    if (!(error instanceof Failure) || error.diagnostics[0]?.code !== "E_ADDRESS_TAKEN" || !isPredecessors(layout, record, joined))
      throw error;
  }
}

/** Makes sure of a container's addresses in a network before it starts: a command killed while it made the container gave it none. */
export async function leaseNow(layout: Layout, record: ContainerRecord, joined: Joined): Promise<void> {
  const network = readNetwork(layout, joined.name);
  if (network === null || !isLeased(network, record.id)) await lease(layout, lesseeOf(layout, record, joined));
}

function lesseeOf(layout: Layout, { id }: ContainerRecord, joined: Joined): Lessee {
  return {
    id,
    joined,
    exists: (other) => findContainer(layout, other) !== null,
    runs: (other) => heldPorts(layout, other) !== null,
  };
}

/** Whether the address that a container asks for is that of the one it takes the place of. */
function isPredecessors(layout: Layout, { spec }: ContainerRecord, { name, ipv4Address, ipv6Address }: Joined): boolean {
  const network = readNetwork(layout, name);
  const holders = [network?.ipv4, network?.ipv6].flatMap((pool) =>
    Object.entries(pool?.leases ?? {}).flatMap(([id, address]) => (address === ipv4Address || address === ipv6Address ? [id] : [])),
  );
  return (
    holders.length > 0 &&
    holders.every((id) => {
      const other = findContainer(layout, id)?.record.spec;
      return (
        other !== undefined && other.project === spec.project && other.service.name === spec.service.name && other.number === spec.number
      );
    })
  );
}
