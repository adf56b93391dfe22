/** What a container has from its image and what from its service, whose word wins. */
import type { ImageConfig } from "../../engine/images.ts";
import type { ExposedPort, Service } from "../../model/service.ts";

export interface Command {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** An entrypoint of the service shuts out the image's Cmd, which was written for the image's own. `[""]` is how Docker's users write "none". */
export function mergeCommand(service: Service, image: ImageConfig): Command {
  const given = service.entrypoint;
  if (given === null) return { entrypoint: image.Entrypoint ?? [], command: service.command ?? image.Cmd ?? [] };
  return { entrypoint: given.length === 1 && given[0] === "" ? [] : given, command: service.command ?? [] };
}

export function mergeEnvironment(service: Service, image: ImageConfig): Readonly<Record<string, string>> {
  const merged = new Map<string, string>();
  for (const entry of image.Env ?? []) {
    const split = entry.indexOf("=");
    if (split > 0) merged.set(entry.slice(0, split), entry.slice(split + 1));
  }
  for (const [key, value] of Object.entries(service.environment)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** `3000/tcp` for each port that the image or the service names. */
export function mergeExposed(service: Service, image: ImageConfig): readonly string[] {
  const text = ({ port, protocol }: ExposedPort): string => `${port}/${protocol}`;
  const declared = Object.keys(image.ExposedPorts ?? {}).map((key) => (key.includes("/") ? key : `${key}/tcp`));
  const published = service.ports.map(({ target, protocol }) => text({ port: target, protocol }));
  return [...new Set([...declared, ...service.expose.map(text), ...published])];
}
