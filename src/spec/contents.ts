import { shown } from "../lib/path.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { FileOrigin, ProjectFile } from "../model/project.ts";
import { type Content, Secret } from "../model/secret.ts";
import { type Context, type Draft, scopeOf } from "./draft.ts";
import type { Reader } from "./load.ts";
import { booleanOf, child, type Entry, entriesOf, entry, type Place, sourceOf, textOf } from "./node.ts";
import { quote } from "./words.ts";

/** Far more than any configuration has: it is held in memory. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Reads what configs and secrets hold. What is wrong with one is no problem of the spec's but of whoever makes a container with it:
 * `down` and `logs` do without.
 */
export async function contents(draft: Draft, context: Context): Promise<Draft> {
  if (context.options.interpolate === false) return draft;
  const [configs, secrets] = await Promise.all([readAll("configs", draft, context.reader), readAll("secrets", draft, context.reader)]);
  const paths = [...configs, ...secrets].flatMap(({ origin }) => (origin.from === "file" && origin.path !== "" ? [origin.path] : []));
  return { ...draft, configs, secrets, inputs: [...new Set([...draft.inputs, ...paths])] };
}

type Section = "configs" | "secrets";

async function readAll(section: Section, draft: Draft, reader: Reader): Promise<readonly ProjectFile[]> {
  const declared = Array.from(entriesOf(child(draft.tree, section))).filter(([key]) => !key.startsWith("x-"));
  return Promise.all(
    declared.map(async ([key, held]) => {
      const origin = originOf(held);
      const found = refusal(section, key, held) ?? (await contentOf({ section, key, held, origin }, draft, reader));
      if (found instanceof Uint8Array) return { key, origin, content: keep(section, found), problem: null };
      return { key, origin, content: null, problem: found };
    }),
  );
}

function originOf({ value }: Entry): FileOrigin {
  const [path, variable] = [textOf(child(value, "file")), textOf(child(value, "environment"))];
  if (path !== null) return { from: "file", path };
  return variable === null ? { from: "content" } : { from: "environment", variable };
}

/** A secret is held in a form that nothing prints. */
function keep(section: Section, bytes: Uint8Array): Content {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return section === "secrets" ? new Secret(text) : text;
}

/** What only a cluster has. The driver `copy` of Compose copies a file into the containers, which is what is done here anyway. */
function refusal(section: Section, key: string, { value, place }: Entry): Diagnostic | null {
  const external = child(value, "external");
  const path = `${section}.${key}`;
  if (booleanOf(external) === true || external?.kind === "mapping")
    return problem(place, {
      code: "E_CONTENT_UNSUPPORTED",
      message: `\`${path}\` is external, and nothing keeps ${section} here`,
      hint: "a cluster would have it: give `file:` or `environment:` with what it holds",
    });
  for (const attribute of ["driver", "template_driver"]) {
    const given = entry(value, attribute);
    const name = textOf(given?.value);
    if (given !== undefined && name !== "" && !(attribute === "driver" && name === "copy"))
      return problem(given.place, {
        code: "E_CONTENT_UNSUPPORTED",
        message: `\`${path}.${attribute}\` is ${quote(name ?? "")}: there are no drivers for ${section} here`,
        hint: "give `file:` or `environment:` with what it holds",
      });
  }
  return null;
}

interface Wanted {
  readonly section: Section;
  readonly key: string;
  readonly held: Entry;
  readonly origin: FileOrigin;
}

async function contentOf({ section, key, held, origin }: Wanted, draft: Draft, reader: Reader): Promise<Uint8Array | Diagnostic> {
  const missing = (at: string, message: string, hint: string): Diagnostic =>
    problem(child(held.value, at)?.place ?? held.place, { code: "E_CONTENT_MISSING", message: `\`${section}.${key}\`: ${message}`, hint });
  switch (origin.from) {
    case "content":
      return Buffer.from(textOf(child(held.value, "content")) ?? "");
    case "environment": {
      const value = scopeOf(draft, `${section}.${key}`).get(origin.variable);
      const hint = `set it where wharf is called, or in \`.env\`: ${origin.variable}=…`;
      return value === undefined ? missing("environment", `the variable ${quote(origin.variable)} is not set`, hint) : Buffer.from(value);
    }
    case "file": {
      const name = quote(shown(origin.path, draft.directory));
      const found = await fromFile(origin.path, reader);
      if (typeof found === "string")
        return missing("file", `the file ${name} ${found}`, `check the path, which starts from ${draft.directory}`);
      if (found.length <= MOST_BYTES) return found;
      return missing(
        "file",
        `the file ${name} has ${found.length} bytes: at most ${MOST_BYTES} are held in memory`,
        "bind mount it instead",
      );
    }
  }
}

/** Its bytes, or why they cannot be had. */
async function fromFile(path: string, reader: Reader): Promise<Uint8Array | string> {
  if (!path.startsWith("/")) return "is not read where paths stay relative";
  try {
    return await reader.read(path);
  } catch (error) {
    const why = REASONS.get((error as NodeJS.ErrnoException).code ?? "");
    if (why === undefined) throw new Error(`cannot read ${path}`, { cause: error });
    return why;
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "does not exist"],
  ["ENOTDIR", "does not exist"],
  ["EISDIR", "is a directory: name one file, or mount the directory with `volumes:`"],
  ["EACCES", "may not be read"],
  ["ELOOP", "is a symbolic link that leads nowhere"],
  ["ENAMETOOLONG", "has a name that is too long"],
]);

function problem(place: Place, said: Omit<Diagnostic, "source">): Diagnostic {
  return { ...said, source: sourceOf(place) };
}
