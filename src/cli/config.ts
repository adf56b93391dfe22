import { writeAtomic } from "../lib/atomic-file.ts";
import type { Project } from "../model/project.ts";
import { patternOf } from "../plan/making.ts";
import type { Session } from "./session.ts";
import { refuseUnknown } from "./up.ts";

export interface ConfigOptions {
  readonly services: readonly string[];
  readonly format: string;
  /** Only check. */
  readonly quiet: boolean;
  /** Print names only, of this kind. */
  readonly list: "services" | "images" | "volumes" | "networks" | "profiles" | null;
  /** Print the hash of this service, or of all with `*`. */
  readonly hash: string | undefined;
  /** File to write instead of standard output. */
  readonly output: string | undefined;
}

/** Prints the spec as it is understood. */
export async function config(session: Session, options: ConfigOptions): Promise<number> {
  const { project, config: document } = await session.load();
  refuseUnknown(project, options.services);
  if (options.quiet) return 0;
  const text = await render(project, document, options);
  if (options.output === undefined) session.out.write(text);
  else await writeAtomic(options.output, text, { mode: 0o644 });
  return 0;
}

type Document = Awaited<ReturnType<Session["load"]>>["config"];

async function render(project: Project, document: Document, options: ConfigOptions): Promise<string> {
  if (options.hash !== undefined) return hashes(project, options.hash);
  if (options.list !== null)
    return names(project, options.list, options.services)
      .map((name) => `${name}\n`)
      .join("");
  const shown = options.services.length === 0 ? document : onlyServices(document, options.services);
  if (options.format === "json") return `${JSON.stringify(shown, null, 2)}\n`;
  const { stringify } = await import("yaml");
  return stringify(shown, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function names(project: Project, list: Exclude<ConfigOptions["list"], null>, services: readonly string[]): readonly string[] {
  const chosen = services.length === 0 ? project.services : project.services.filter(({ name }) => services.includes(name));
  switch (list) {
    case "services":
      return chosen.map(({ name }) => name);
    case "images":
      return [...new Set(chosen.map(({ image }) => image.replace(/^docker\.io\/(library\/)?/, "")))];
    case "volumes":
      return project.volumes.map(({ key }) => key);
    case "networks":
      return project.networks.map(({ key }) => key);
    case "profiles":
      return [...new Set(project.services.flatMap(({ profiles }) => profiles))].sort();
  }
}

function hashes(project: Project, wanted: string): string {
  if (wanted !== "*") refuseUnknown(project, wanted.split(","));
  const chosen = wanted === "*" ? project.services : project.services.filter(({ name }) => wanted.split(",").includes(name));
  return chosen.map((service) => `${service.name} ${patternOf(project, service).hash}\n`).join("");
}

function onlyServices(document: Document, wanted: readonly string[]): Document {
  if (document === null || typeof document !== "object" || !("services" in document)) return document;
  const { services } = document;
  if (services === null || services === undefined || typeof services !== "object") return document;
  return { ...document, services: Object.fromEntries(Object.entries(services).filter(([name]) => wanted.includes(name))) };
}
