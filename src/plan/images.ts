/** Which images are pulled, and which services cannot run with the image they name. */

import type { Reference } from "../model/reference.ts";
import { familiar } from "../model/reference.ts";
import { contentOf, type PullPolicy, type Service } from "../model/service.ts";
import { sourceOf } from "./change.ts";
import { changed, type Planning, placed, stepKey } from "./planning.ts";

/** Plans the pulls for these services; the containers to make are planned already. */
export function planImages(p: Planning, services: readonly Service[]): void {
  const pulls = new Map<string, Service[]>();
  for (const service of services) {
    if (policyOf(p, service) !== "always" && !p.made.has(service)) continue; // what runs needs no image
    if (willPull(p, service)) pulls.set(pullKey(service), [...(pulls.get(pullKey(service)) ?? []), service]);
    else checkImage(p, service);
  }
  for (const [key, [first, ...others]] of pulls) if (first !== undefined) planPull(p, { key, first, others });
}

/** Plans the pulls of images that containers to be made mount; those that services run are planned already. */
export function planMountedImages(p: Planning, services: readonly Service[]): void {
  for (const service of services) {
    if (!p.made.has(service)) continue;
    for (const mount of service.mounts) {
      if (mount.type !== "image" || p.observed.images[mount.source] !== undefined || p.draft.has(mountedKey(service, mount.source)))
        continue;
      const name = familiar(mount.source);
      if (policyOf(p, service) === "never") {
        p.problems.push({
          code: "E_IMAGE_ABSENT",
          message: `image ${name}, which service ${service.name} mounts, is not here, and its pull policy is never`,
          hint: `\`wharf image pull ${name}\` fetches it`,
          ...placed(sourceOf(p.desired, `services.${service.name}.volumes.${mount.target}`)),
        });
        continue;
      }
      const action = { kind: "image.pull", reference: mount.source, platform: service.platform, policy: "missing" } as const;
      p.draft.step(mountedKey(service, mount.source), { action, reason: "not here yet", service: service.name });
      changed(p, "pull", { address: `image/${name}`, reason: "not here yet" });
    }
  }
}

/** The step that fetches an image which a container mounts: the one of those who run it, where there are such. */
export function mountedKey({ platform }: Pick<Service, "platform">, image: Reference): string {
  return pullKey({ image, pin: null, platform });
}

/** Whether a container of this service waits for a pull, so that nothing is known of its image yet. */
export function willPull(p: Planning, service: Service): boolean {
  const policy = policyOf(p, service);
  return policy === "always" || (policy === "missing" && p.observed.images[contentOf(service)] === undefined);
}

/** One pull serves every service with this image for this platform. */
export function pullKey(service: Pick<Service, "image" | "pin" | "platform">): string {
  return stepKey("image.pull", `${contentOf(service)} ${service.platform ?? ""}`);
}

function policyOf(p: Planning, service: Service): PullPolicy {
  return p.options.pull ?? service.pullPolicy;
}

function planPull(
  p: Planning,
  { key, first, others }: { readonly key: string; readonly first: Service; readonly others: readonly Service[] },
): void {
  const reference = contentOf(first);
  const { platform } = first;
  const present = p.observed.images[reference] !== undefined;
  const reason = present ? "pull policy is always" : "not here yet";
  const policy = [first, ...others].some((service) => policyOf(p, service) === "always") ? "always" : "missing";
  const service = others.length === 0 ? first.name : null;
  p.draft.step(key, { action: { kind: "image.pull", reference, platform, policy }, reason, service });
  changed(p, "pull", { address: `image/${familiar(reference)}`, reason });
}

/** What is here must be enough: the image itself, and something in it or in the service to run. */
function checkImage(p: Planning, service: Service): void {
  const image = p.observed.images[contentOf(service)];
  const name = familiar(contentOf(service));
  const source = placed(sourceOf(p.desired, `services.${service.name}.image`));
  if (image === undefined) {
    p.problems.push({
      code: "E_IMAGE_ABSENT",
      message: `image ${name} of service ${service.name} is not here, and its pull policy is never`,
      hint: `\`wharf pull ${service.name}\` fetches it; or set \`pull_policy: missing\``,
      ...source,
    });
  } else if (!hasCommand(service, image.command)) {
    p.problems.push({
      code: "E_NOTHING_TO_RUN",
      message: `service ${service.name} has nothing to run: it gives no command, and image ${name} has none`,
      hint: `give it one, as in \`cmd: sleep infinity\`, or look inside with \`wharf run -it ${service.name} sh\``,
      ...source,
    });
  }
}

/** An entrypoint given by the service puts the image's own command aside. */
function hasCommand({ entrypoint, command }: Service, ofImage: readonly string[]): boolean {
  if (entrypoint !== null) return entrypoint.length > 0 || (command !== null && command.length > 0);
  return (command !== null && command.length > 0) || ofImage.length > 0;
}
