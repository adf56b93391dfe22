import type { Diagnostic } from "../../src/model/diagnostic.ts";
import { Failure } from "../../src/model/diagnostic.ts";
import type { Service } from "../../src/model/service.ts";
import { type Loaded, type LoadOptions, load, type Reader } from "../../src/spec/load.ts";

/** Files by absolute path; the spec's directory is `/p/shop`. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

const encoder = new TextEncoder();

/** A reader over files in memory. */
export function readerOf(files: Files): Reader {
  return {
    read: async (path) => {
      const content = Object.hasOwn(files, path) ? files[path] : undefined;
      if (content === undefined) throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
      return typeof content === "string" ? encoder.encode(content) : content;
    },
    exists: async (path) => Object.hasOwn(files, path),
  };
}

/** Loads files as from `/p/shop`. A single text is its `wharf.yaml`. */
export function loadFiles(files: Files | string, options: Partial<LoadOptions> = {}): Promise<Loaded> {
  const all = typeof files === "string" ? { "/p/shop/wharf.yaml": files } : files;
  const usual: LoadOptions = {
    files: null,
    stdin: null,
    cwd: "/p/shop",
    projectName: null,
    projectDirectory: null,
    envFiles: null,
    profiles: [],
    env: { HOME: "/home/u" },
  };
  return load({ ...usual, ...options }, readerOf(all));
}

/** The one service `web` of a text that gives its attributes, indented by nothing. */
export async function web(attributes: string, options: Partial<LoadOptions> = {}): Promise<Service> {
  const { project } = await loadFiles(serviceText(attributes), options);
  const found = project.services.find(({ name }) => name === "web");
  if (found === undefined) throw new Error("no service web");
  return found;
}

/** A spec with the service `web` of these attributes and the volume `data`. */
export function serviceText(attributes: string): string {
  const indented = attributes.trim().replace(/^/gm, "    ");
  return `services:\n  web:\n${/^ {4}(?:image|build):/m.test(indented) ? "" : "    image: nginx\n"}${indented}\nvolumes:\n  data:\n`;
}

/** The errors of a spec that must not load, or not be run. */
export async function errorsOf(files: Files | string, options: Partial<LoadOptions> = {}): Promise<readonly Diagnostic[]> {
  try {
    const { refusals } = await loadFiles(files, options);
    if (refusals.length > 0) return refusals;
  } catch (error) {
    if (error instanceof Failure) return error.diagnostics;
    throw error;
  }
  throw new Error("it loaded");
}

/** The one error of a spec, as `CODE line:column-end message`. */
export async function onlyError(files: Files | string, options: Partial<LoadOptions> = {}): Promise<string> {
  const errors = await errorsOf(files, options);
  return errors.map(line).join("\n");
}

export function line({ code, message, source }: Diagnostic): string {
  return `${code} ${source === undefined ? "-" : `${source.line}:${source.column}-${source.end}`} ${message}`;
}
