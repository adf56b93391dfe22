import { shown } from "../lib/path.ts";
import type { Code } from "../model/codes.ts";
import type { Diagnostic, Source } from "../model/diagnostic.ts";
import type { Context } from "./draft.ts";
import { type SourceFile, sourceFile } from "./node.ts";

/** More than any file of this kind has, and quick enough to read. */
const MOST_BYTES = 16 * 1024 * 1024;

/** What is run from, as it is read by this machine and its people first. */
const OF_SPECS: ReadonlySet<string> = new Set(["spec", "included file", "extended file"]);

export interface ReadRequest {
  /** Absolute. */
  readonly path: string;
  /** What it is, for errors: `env file`. */
  readonly what: string;
  /** Where it was asked for. */
  readonly source?: Source;
  /** Nobody asked for it: a directory of its name is passed over. */
  readonly unasked?: true;
}

/** Reads a text file; `null` and an entry in the report when it cannot be. */
export async function readText(request: ReadRequest, context: Context): Promise<SourceFile | null> {
  const remote = /(?:^|\/)(oci:|https?:|git:|ssh:|git@)/.exec(request.path)?.[1];
  if (remote !== undefined && OF_SPECS.has(request.what)) {
    context.report.add({
      code: codeFor(request.what),
      message: `the ${request.what} lies elsewhere (\`${remote}…\`): only files of this machine are read`,
      hint: "fetch it with another tool, review it, and name the file",
      ...(request.source === undefined ? {} : { source: request.source }),
    });
    return null;
  }
  const name = shown(request.path, context.options.cwd);
  const place = request.source === undefined ? {} : { source: request.source };
  const bytes = await bytesOf(request, context, { name, place });
  if (bytes === null) return null;
  const text = decode(bytes, { name, report: (problem) => context.report.add({ ...problem, ...place }) });
  return text === null ? null : sourceFile(request.path, name, text);
}

/** Reads a spec from standard input; `null` and an entry in the report when it cannot be. */
export async function readStandardInput(context: Context): Promise<SourceFile | null> {
  const bytes = (await context.options.stdin?.()) ?? null;
  if (bytes === null) {
    context.report.add({ code: "E_NO_SPEC", message: "`-f -` reads standard input, and there is none", hint: "pipe a spec into wharf" });
    return null;
  }
  const text = decode(bytes, { name: "standard input", report: (problem) => context.report.add(problem) });
  return text === null ? null : sourceFile("-", "-", text);
}

async function bytesOf(
  { path, what, unasked }: ReadRequest,
  { reader, report }: Context,
  { name, place }: { readonly name: string; readonly place: { readonly source?: Source } },
): Promise<Uint8Array | null> {
  try {
    return await reader.read(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "";
    if (reason === "EISDIR" && unasked === true) return null;
    const why = REASONS.get(reason);
    if (why === undefined) throw new Error(`cannot read ${path}`, { cause: error });
    const code = codeFor(what);
    report.add({
      code,
      message: `the ${what} \`${name}\` ${why}`,
      hint: "check the path, which starts from the project's directory",
      ...place,
    });
    return null;
  }
}

function codeFor(what: string): Code {
  if (what === "spec") return "E_NO_SPEC";
  if (what === "seccomp profile") return "E_VALUE";
  return what === "extended file" ? "E_EXTENDS" : what === "included file" ? "E_INCLUDE" : "E_ENV_FILE";
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "does not exist"],
  ["ENOTDIR", "does not exist"],
  ["EISDIR", "is a directory"],
  ["EACCES", "may not be read"],
  ["ELOOP", "is a symbolic link that leads nowhere"],
  ["ENAMETOOLONG", "has a name that is too long"],
]);

function decode(
  bytes: Uint8Array,
  { name, report }: { readonly name: string; readonly report: (problem: Diagnostic) => void },
): string | null {
  if (bytes.length > MOST_BYTES) {
    const hint = "a file of this size is hardly a spec: check which file was meant";
    report({ code: "E_TOO_LARGE", message: `\`${name}\` has ${bytes.length} bytes: at most ${MOST_BYTES} are read`, hint });
    return null;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    report({ code: "E_YAML", message: `\`${name}\` is not UTF-8 text`, hint: "save it in UTF-8" });
    return null;
  }
}
