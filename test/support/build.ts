/** Builders of the model's values: a test says only what matters to it. */
import { NO_DEVICES } from "../../src/model/devices.ts";
import { USUAL_ISOLATION } from "../../src/model/isolation.ts";
import { LABEL } from "../../src/model/labels.ts";
import { DEFAULT_ATTACHMENTS, plainNetwork } from "../../src/model/network.ts";
import type { Observed, ObservedContainer, ObservedImage } from "../../src/model/observed.ts";
import type { Project } from "../../src/model/project.ts";
import { parseReference, type Reference } from "../../src/model/reference.ts";
import { NO_LIMITS } from "../../src/model/resources.ts";
import { type Dependency, NO_RESTART, type Port, type Service } from "../../src/model/service.ts";
import { USUAL_UPDATE } from "../../src/model/update.ts";
import { joinsOf } from "../../src/plan/joining.ts";
import { patternOf } from "../../src/plan/making.ts";

export function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (typeof parsed !== "string") throw new Error(parsed.problem);
  return parsed;
}

export function service(given: Partial<Omit<Service, "image">> & { readonly image?: string } = {}): Service {
  const { image = "web", ...others } = given;
  return {
    name: "web",
    image: reference(image),
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
    dependsOn: [],
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
    networks: DEFAULT_ATTACHMENTS,
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
    stopGraceMs: 10_000,
    scale: 1,
    rollback: null,
    update: USUAL_UPDATE,
    pin: null,
    pullPolicy: "missing",
    platform: null,
    profiles: [],
    ...others,
  };
}

/** A project with a default network. */
export function project(given: Partial<Project> = {}): Project {
  const name = given.name ?? "shop";
  return {
    name,
    directory: "/srv/shop",
    files: ["/srv/shop/wharf.yaml"],
    inputs: ["/srv/shop/wharf.yaml"],
    services: [],
    disabled: [],
    networks: [plainNetwork("default", `${name}_default`)],
    volumes: [],
    configs: [],
    secrets: [],
    sources: {},
    ...given,
  };
}

export function dependency(on: string, given: Partial<Dependency> = {}): Dependency {
  return { service: on, condition: "started", restart: false, required: true, ...given };
}

/** `8080:3000` on every address, tcp. */
export function port(text: string): Port {
  const [published = 0, target = published] = text.split(":").map(Number);
  return { target, protocol: "tcp", host: "0.0.0.0", published: { from: published, to: published } };
}

/** A running container of `shop` made for nothing in particular. */
export function container(given: Partial<ObservedContainer> = {}): ObservedContainer {
  const name = given.name ?? "shop-web-1";
  return {
    id: idFor(name),
    name,
    project: "shop",
    service: "web",
    number: 1,
    oneOff: false,
    hash: null,
    attributes: null,
    image: { reference: "docker.io/library/web:latest", id: imageId("web") },
    state: "running",
    exitCode: null,
    health: null,
    afterReboot: false,
    pid: 4242,
    createdAt: "2026-01-01T00:00:00Z",
    startedAt: "2026-01-01T00:00:01Z",
    finishedAt: null,
    argv: ["/run"],
    labels: {},
    ports: [],
    beside: false,
    networks: [],
    volumes: [],
    mounts: [],
    ...given,
  };
}

/** A container as the planner itself would have made it for this service. */
export function containerOf(of: Project, wanted: Service, given: Partial<ObservedContainer> = {}): ObservedContainer {
  const { hash, attributes } = patternOf(of, wanted);
  const number = given.number ?? 1;
  return container({
    name: wanted.containerName ?? `${of.name}-${wanted.name}-${number}`,
    project: of.name,
    service: wanted.name,
    number,
    hash,
    attributes,
    image: { reference: wanted.image, id: imageId(wanted.image) },
    networks: joinsOf(of, wanted, []).map((joined) => ({ name: joined.name, address: null })),
    labels: { [LABEL.dependsOn]: wanted.dependsOn.map((d) => `${d.service}:service_started:${d.restart}`).join(",") },
    ports: wanted.ports.map(({ target, protocol, host, published }) => ({ target, protocol, host, published: published?.from ?? 0 })),
    ...given,
  });
}

/** Exited with 0, as a container is that was stopped. */
export const exited = {
  state: "exited",
  exitCode: 0,
  pid: null,
  finishedAt: "2026-01-01T00:00:02Z",
} as const satisfies Partial<ObservedContainer>;

export function observed(given: Partial<Observed> = {}): Observed {
  return { containers: [], networks: [], volumes: [], images: {}, foreign: [], takenPorts: [], concerns: [], ...given };
}

/** A world in which the project's images and networks are there already. */
export function ready(of: Project, given: Partial<Observed> = {}): Observed {
  return observed({
    networks: of.networks.map(({ key, name }) => ({ name, key, project: of.name, present: true, attributes: {} })),
    images: Object.fromEntries(of.services.map((wanted) => [wanted.image, image(wanted.image)])),
    ...given,
  });
}

export function image(name: string, given: Partial<ObservedImage> = {}): ObservedImage {
  return { id: imageId(name), digest: null, command: ["/run"], volumes: [], ...given };
}

/** The id that the builders give to an image of this name. */
export function imageId(name: string): string {
  return `sha256:${reference(name)}`;
}

function idFor(name: string): string {
  return Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64);
}
