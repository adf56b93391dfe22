/** `wharf.lock`: what each image name of a project stands for. One line an image, sorted, so that it is reviewed and merged like code. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { Failure } from "../model/diagnostic.ts";
import { parseDigest } from "../model/digest.ts";
import type { Project } from "../model/project.ts";
import { familiar, parseReference, type Reference, withDigest } from "../model/reference.ts";
import { sourceOf } from "../plan/change.ts";

/** Digests of manifests or indexes by image name. A digest of an index holds for every platform. */
export type Lock = ReadonlyMap<Reference, string>;

export const LOCK_FILE = "wharf.lock";

const HEAD = `# What the image names of this project stand for. Written by \`wharf lock\`; \`wharf lock --update\` moves it, \`wharf up --locked\` keeps to it.
version: 1
images:
`;

export function lockText(lock: Lock): string {
  const lines = [...lock].map(([reference, digest]) => `  ${JSON.stringify(familiar(reference))}: ${digest}\n`).sort();
  return lines.length === 0 ? `${HEAD.trimEnd()} {}\n` : `${HEAD}${lines.join("")}`;
}

/** The project with every image pinned as its lock file says. Throws `E_NOT_LOCKED` with the place of each image that is not. */
export async function locked(project: Project): Promise<Project> {
  const pins = await readLock(join(project.directory, LOCK_FILE));
  if (pins === null)
    throw new Failure({ code: "E_NOT_LOCKED", message: `there is no ${LOCK_FILE} in ${project.directory}`, hint: "wharf lock writes it" });
  const missing = project.services.filter(({ image }) => !image.includes("@") && !pins.has(image));
  if (missing.length > 0)
    throw new Failure(
      missing.map(({ name, image }) => {
        const source = sourceOf(project, `services.${name}.image`);
        return {
          code: "E_NOT_LOCKED" as const,
          message: `image ${familiar(image)} of service ${name} is not in ${LOCK_FILE}`,
          hint: "wharf lock adds it",
          ...(source === null ? {} : { source }),
        };
      }),
    );
  const services = project.services.map((service) => {
    const digest = pins.get(service.image);
    return digest === undefined ? service : { ...service, pin: withDigest(service.image, digest) };
  });
  return { ...project, services };
}

/** The lock of a file; `null`: there is none. */
export async function readLock(path: string): Promise<Lock | null> {
  try {
    return parseLock(await readFile(path, "utf8"), path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Throws `E_LOCK_FILE` with the place of what is wrong. */
export function parseLock(text: string, file: string): Lock {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const refuse = (message: string, offset = 0): Failure => {
    const { line, col } = counter.linePos(offset);
    return new Failure({
      code: "E_LOCK_FILE",
      message,
      hint: "restore it, or make it again: wharf lock --update",
      source: { file, line: Math.max(1, line), column: Math.max(1, col) },
    });
  };
  const [problem] = document.errors;
  if (problem !== undefined) throw refuse(`${LOCK_FILE} is not what \`wharf lock\` writes: ${firstLine(problem.message)}`, problem.pos[0]);
  const content: unknown = document.toJS({ maxAliasCount: 0 });
  if (!isObject(content) || !isObject(content["images"])) throw refuse(`${LOCK_FILE} has no images`);
  if (content["version"] !== 1) throw refuse(`${LOCK_FILE} is of version ${String(content["version"])}, and this wharf reads 1`);
  return new Map(
    Object.entries(content["images"]).map(([name, digest]) => {
      const reference = parseReference(name);
      const place = text.indexOf(name);
      if (typeof reference !== "string") throw refuse(`${LOCK_FILE}: ${reference.problem}`, place);
      const checked = typeof digest === "string" ? parseDigest(digest) : { problem: "a digest is a text" };
      if (typeof checked !== "string") throw refuse(`${LOCK_FILE}, image ${name}: ${checked.problem}`, place);
      return [reference, checked] as const;
    }),
  );
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

const firstLine = (text: string): string => text.split("\n")[0] ?? "";
