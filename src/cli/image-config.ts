import type { ImageConfig, ImportOptions } from "../engine/images.ts";
import { splitWords } from "../lib/shell-words.ts";
import { Failure } from "../model/diagnostic.ts";
import { type Platform, parsePlatform } from "../model/platform.ts";
import { referenceOf } from "./reference.ts";

/** What `image import` can say about the image, as given. */
export interface ImportFlags {
  readonly name: string;
  /** Words as for a shell, or a JSON list. */
  readonly cmd: string | undefined;
  readonly entrypoint: string | undefined;
  /** `K=V` each. */
  readonly env: readonly string[];
  /** `3000`, `53/udp` each. */
  readonly expose: readonly string[];
  readonly workdir: string | undefined;
  readonly user: string | undefined;
  readonly label: readonly string[];
  readonly platform: string | undefined;
}

/** The image to make. Throws `Failure` for a flag that cannot be understood. */
export function importOptions(flags: ImportFlags): ImportOptions {
  const config: ImageConfig = {
    ...(flags.cmd === undefined ? {} : { Cmd: wordsOf("--cmd", flags.cmd) }),
    ...(flags.entrypoint === undefined ? {} : { Entrypoint: wordsOf("--entrypoint", flags.entrypoint) }),
    ...(flags.env.length === 0 ? {} : { Env: flags.env.map((entry) => pair("--env", entry).join("=")) }),
    ...(flags.expose.length === 0 ? {} : { ExposedPorts: Object.fromEntries(flags.expose.map((port) => [portKey(port), {}])) }),
    ...(flags.workdir === undefined ? {} : { WorkingDir: absolute(flags.workdir) }),
    ...(flags.user === undefined ? {} : { User: flags.user }),
    ...(flags.label.length === 0 ? {} : { Labels: Object.fromEntries(flags.label.map((entry) => pair("--label", entry))) }),
  };
  return { reference: referenceOf(flags.name), platform: flags.platform === undefined ? null : platformOf(flags.platform), config };
}

function wordsOf(flag: string, text: string): readonly string[] {
  if (text.trimStart().startsWith("[")) {
    const list = parseJson(text);
    if (Array.isArray(list) && list.every((word) => typeof word === "string")) return list;
    throw usage(`${flag} ${text}: not a JSON list of strings`, `such as '["sleep", "infinity"]'`);
  }
  const words = splitWords(text);
  if (words === null) throw usage(`${flag} ${text}: a quote is not closed`, `a JSON list works too: '["sh", "-c", "…"]'`);
  return words;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function pair(flag: string, entry: string): readonly [string, string] {
  const equals = entry.indexOf("=");
  if (equals < 1) throw usage(`${flag} ${entry}: give NAME=VALUE`);
  return [entry.slice(0, equals), entry.slice(equals + 1)];
}

function portKey(text: string): string {
  const [, port = "", protocol = "tcp"] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  if (Number(port) < 1 || Number(port) > 65_535) throw usage(`--expose ${text}: give PORT or PORT/udp, 1 to 65535`);
  return `${port}/${protocol}`;
}

function absolute(directory: string): string {
  if (directory.startsWith("/")) return directory;
  throw usage(`--workdir ${directory}: not an absolute path`);
}

function platformOf(text: string): Platform {
  const platform = parsePlatform(text);
  if ("problem" in platform) throw usage(`--platform ${text}: ${platform.problem}`);
  return platform;
}

function usage(message: string, hint?: string): Failure {
  return new Failure({ code: "E_USAGE", message, ...(hint === undefined ? {} : { hint }) });
}
