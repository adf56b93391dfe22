import type { ContainerSpec } from "./action.ts";
import type { Resources } from "./resources.ts";
import type { Service } from "./service.ts";

/**
 * What a container is made of once all that can change in place is as `wanted` says; what only a new container can have stays. The table of
 * `plan/change.ts` says which attributes those are: a planner asks for this only where nothing else differs.
 */
export function adjusted(spec: ContainerSpec, wanted: ContainerSpec): ContainerSpec {
  const { hash, attributes, labels } = wanted;
  return {
    ...spec,
    hash,
    attributes,
    labels,
    service: adjustedService(spec.service, wanted.service),
    networks: spec.networks.map((joined) => ({
      ...joined,
      aliases: wanted.networks.find(({ name }) => name === joined.name)?.aliases ?? joined.aliases,
    })),
  };
}

function adjustedService(service: Service, wanted: Service): Service {
  const {
    restart,
    healthcheck,
    logging,
    ports,
    expose,
    labels,
    extraHosts,
    links,
    stopSignal,
    stopGraceMs,
    dependsOn,
    preStop,
    postStart,
  } = wanted;
  return {
    ...service,
    restart,
    healthcheck,
    logging,
    ports,
    expose,
    labels,
    extraHosts,
    links,
    stopSignal,
    stopGraceMs,
    dependsOn,
    preStop,
    postStart,
    networks: service.networks.map((attachment) => ({
      ...attachment,
      aliases: wanted.networks.find(({ network }) => network === attachment.network)?.aliases ?? attachment.aliases,
    })),
    resources: adjustedLimits(service.resources, wanted.resources),
  };
}

/** Control groups take these at any time; the others are given to processes as they begin, or to a file system as it is mounted. */
function adjustedLimits(resources: Resources, wanted: Resources): Resources {
  const { cpus, cpuShares, cpuQuota, cpuPeriod, cpuset, memory, memoryReservation, memorySwap, swappiness, oomKillDisable, pids } = wanted;
  return {
    ...resources,
    ...{ cpus, cpuShares, cpuQuota, cpuPeriod, cpuset, memory, memoryReservation, memorySwap, swappiness, oomKillDisable, pids },
  };
}
