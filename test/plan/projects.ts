/** Projects by chance, for laws. */
import fc from "fast-check";
import { PLAIN_NETWORK, plainAttachment, plainNetwork } from "../../src/model/network.ts";
import type { Project } from "../../src/model/project.ts";
import { NO_RESTART, type Service } from "../../src/model/service.ts";
import { project, service } from "../support/build.ts";

/** Of services, those that others may depend on first. */
export const NAMES = ["db", "cache", "api", "web"] as const;

/** What is waited for of a service is the same for all its dependents: nothing is healthy once it is done. */
const conditions = fc.tuple(...NAMES.map(() => fc.constantFrom("started", "completed", "healthy")));

/** What changes in place. */
export const inPlace = fc.record({
  restart: fc.constantFrom(NO_RESTART, { ...NO_RESTART, name: "always" } as const),
  memory: fc.constantFrom(null, 1 << 26, 1 << 27),
  label: fc.constantFrom(null, "one", "two"),
  aliases: fc.constantFrom([], ["other"]),
});

export type InPlace = typeof inPlace extends fc.Arbitrary<infer T> ? T : never;

/** Nothing of that is said. */
export const NOTHING: InPlace = { restart: NO_RESTART, memory: null, label: null, aliases: [] };

const serviceShape = fc.record({
  inPlace,
  image: fc.constantFrom("one", "two"),
  color: fc.constantFrom(null, "red", "blue"),
  scale: fc.integer({ min: 0, max: 3 }),
  port: fc.option(fc.constantFrom(8080, 8081)),
  mounts: fc.subarray(["data", "anonymous"] as const),
  fixedName: fc.boolean(),
  networks: fc.constantFrom(["default"], ["back"], ["back", "default"], []),
  order: fc.constantFrom("start-first", "stop-first", null),
  parallelism: fc.nat({ max: 2 }),
  failureAction: fc.constantFrom("pause", "continue", "rollback"),
  maxFailureRatio: fc.constantFrom(0, 0.5),
  run: fc.constantFrom("once", "always"),
  edges: fc.array(
    fc.record({
      to: fc.nat({ max: 3 }),
      restart: fc.boolean(),
      required: fc.boolean(),
    }),
    { maxLength: 3 },
  ),
});

const shapesOfServices = fc.uniqueArray(fc.tuple(fc.nat({ max: 3 }), serviceShape), { selector: ([index]) => index });

/** How the network `back` is made. */
const mtus = fc.constantFrom(null, 1400, 9000);

/** Projects of up to four services that are called `shop`. */
export const projects = fc.tuple(shapesOfServices, conditions, mtus).map(([shapes, conditionOf, mtu]): Project => {
  const services = shapes
    .sort(([a], [b]) => a - b)
    .map(([index, shape], place): Service => {
      const name = NAMES[index] ?? "db";
      const usesPort = shape.port !== null && shapes.slice(0, place).every(([, other]) => other.port !== shape.port);
      const single = usesPort || shape.fixedName;
      const targets = new Set<string>();
      const made = service({
        name,
        image: shape.image,
        // What is waited for to its end, and started anew each time, leaves something to do for ever.
        run: conditionOf[index] === "completed" ? "once" : shape.run,
        containerName: shape.fixedName ? `the-${name}` : null,
        environment: shape.color === null ? {} : { COLOR: shape.color },
        update: {
          order: shape.order,
          parallelism: shape.parallelism,
          failureAction: shape.failureAction,
          maxFailureRatio: shape.maxFailureRatio,
          monitorMs: 0,
          delayMs: 0,
        },
        scale: single ? Math.min(shape.scale, 1) : shape.scale,
        ports: usesPort
          ? [{ target: 3000, protocol: "tcp", host: "0.0.0.0", published: { from: shape.port ?? 0, to: shape.port ?? 0 } }]
          : [],
        mounts: shape.mounts.map((kind) => ({
          type: "volume",
          source: kind === "data" ? "data" : null,
          target: `/${kind}`,
          readOnly: false,
          noCopy: false,
          subpath: null,
        })),
        networks: shape.networks.map(plainAttachment),
        networkMode: shape.networks.length === 0 ? { type: "none" } : null,
        dependsOn: shape.edges.flatMap(({ to, ...edge }) => {
          const target = NAMES[to] ?? "db";
          const known = to < index && shapes.some(([other]) => other === to) && !targets.has(target);
          targets.add(target);
          return known ? [{ service: target, condition: conditionOf[to] ?? "started", ...edge }] : [];
        }),
      });
      return withInPlace(made, shape.inPlace);
    });
  const back = { ...plainNetwork("back", "shop_back"), config: { ...PLAIN_NETWORK, mtu } };
  const networks = [plainNetwork("default", "shop_default"), back].filter(({ key }) =>
    services.some((one) => one.networks.some(({ network }) => network === key)),
  );
  return project({ services, networks, volumes: [{ key: "data", name: "shop_data", external: false, labels: {} }] });
});

/** The service with other values of what changes in place. */
export function withInPlace(made: Service, { restart, memory, label, aliases }: InPlace): Service {
  return {
    ...made,
    restart,
    labels: label === null ? {} : { label },
    resources: { ...made.resources, memory },
    networks: made.networks.map((attachment) => ({ ...attachment, aliases })),
  };
}
