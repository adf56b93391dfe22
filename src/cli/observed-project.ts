import { NO_DEVICES } from "../model/devices.ts";
import { USUAL_ISOLATION } from "../model/isolation.ts";
import { LABEL } from "../model/labels.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { nothing, type Project } from "../model/project.ts";
import { parseReference } from "../model/reference.ts";
import { NO_LIMITS } from "../model/resources.ts";
import { type Dependency, NO_RESTART, type Service, USUAL_GRACE_MS } from "../model/service.ts";
import { USUAL_UPDATE } from "../model/update.ts";

/** A project as far as its containers tell of it, for commands that need no spec: its services, with what they depend on. */
export function observedProject(name: string, containers: readonly ObservedContainer[], directory: string): Project {
  const services = new Map<string, ObservedContainer[]>();
  for (const container of containers) {
    if (container.service === null || container.oneOff) continue;
    services.set(container.service, [...(services.get(container.service) ?? []), container]);
  }
  const from = containers.find((c) => c.labels[LABEL.directory] !== undefined)?.labels[LABEL.directory];
  return { ...nothing(name, from ?? directory), services: [...services].flatMap(([service, replicas]) => serviceFrom(service, replicas)) };
}

/** Nothing for a service whose containers name no image that could be asked for. */
function serviceFrom(name: string, replicas: readonly ObservedContainer[]): readonly Service[] {
  const [first] = replicas;
  if (first === undefined) return [];
  const image = parseReference(first.image.reference);
  if (typeof image !== "string") return [];
  const dependsOn = dependenciesFrom(first.labels[LABEL.dependsOn] ?? "");
  return [{ ...PLAIN, ...kept(first), name, image, scale: replicas.length, dependsOn }];
}

/** What its containers were told for when they begin and end. */
function kept({ spec }: ObservedContainer): Partial<Pick<Service, "stopGraceMs" | "preStop" | "postStart">> {
  if (spec === undefined) return {};
  const { stopGraceMs, preStop, postStart } = { ...PLAIN, ...spec.service }; // an earlier wharf may have written down less
  return { stopGraceMs, preStop, postStart };
}

/** The label's text as Compose writes it: `db:service_healthy:false,cache:service_started:true`. */
function dependenciesFrom(label: string): readonly Dependency[] {
  return label
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const [service = "", condition, restart] = part.split(":");
      return { service, condition: CONDITIONS.get(condition ?? "") ?? "started", restart: restart === "true", required: false };
    });
}

const CONDITIONS: ReadonlyMap<string, Dependency["condition"]> = new Map([
  ["service_healthy", "healthy"],
  ["service_completed_successfully", "completed"],
]);

const PLAIN: Omit<Service, "name" | "image" | "scale" | "dependsOn"> = {
  pin: null,
  update: USUAL_UPDATE,
  containerName: null,
  command: null,
  entrypoint: null,
  environment: {},
  ports: [],
  expose: [],
  workingDir: null,
  user: null,
  hostname: null,
  domainname: null,
  labels: {},
  restart: NO_RESTART,
  healthcheck: null,
  logging: null,
  init: false,
  tty: false,
  stdinOpen: false,
  readOnly: false,
  mounts: [],
  configs: [],
  secrets: [],
  extraHosts: [],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  networks: [],
  networkMode: null,
  macAddress: null,
  links: [],
  capAdd: [],
  capDrop: [],
  resources: NO_LIMITS,
  isolation: USUAL_ISOLATION,
  devices: NO_DEVICES,
  preStart: [],
  postStart: [],
  preStop: [],
  stopSignal: null,
  stopGraceMs: USUAL_GRACE_MS,
  rollback: null,
  pullPolicy: "missing",
  platform: null,
  profiles: [],
};
