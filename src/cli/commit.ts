import type { ImageConfig } from "../engine/images.ts";
import { splitWords } from "../lib/shell-words.ts";
import { Failure } from "../model/diagnostic.ts";
import { healthcheckOf } from "./commit-healthcheck.ts";
import { held } from "./copy.ts";
import { referenceOf } from "./reference.ts";
import { containerOf } from "./selection.ts";
import type { Session } from "./session.ts";

export interface CommitChoice {
  readonly target: string;
  readonly index: number | null;
  /** `undefined`: the image gets no name. */
  readonly image: string | undefined;
  readonly author: string;
  readonly message: string;
  readonly pause: boolean;
  /** Lines as of a Dockerfile. */
  readonly changes: readonly string[];
}

/** Makes an image of a container and prints its id. */
export async function commit(session: Session, { target, index, image, author, message, pause, changes }: CommitChoice): Promise<number> {
  const config = configOfChanges(changes);
  const reference = image === undefined ? null : referenceOf(image);
  const container = await containerOf(session, target, index);
  const engine = await session.engine();
  await held(session, container, "commit", async () => {
    session.out.line(await engine.commit(container.id, { reference, author, message, pause, config }, session.signal));
  });
  return 0;
}

/** What lines of a Dockerfile say of an image; the later one wins. Throws E_USAGE. */
export function configOfChanges(lines: readonly string[]): ImageConfig {
  let config: ImageConfig = {};
  for (const line of lines) {
    const [, word = "", rest = ""] = /^\s*([A-Za-z]+)\s+(\S.*?)\s*$/s.exec(line) ?? [];
    const change = CHANGES[word.toUpperCase()];
    if (change === undefined) throw usage(line, `a line begins with ${KNOWN}, and says something`);
    const { Env = [], ExposedPorts = {}, Labels = {}, Volumes = {}, OnBuild = [], ...plain } = change(rest, line, config.Shell ?? SHELL);
    config = {
      ...config,
      ...plain,
      ...(Env.length === 0 ? {} : { Env: [...(config.Env ?? []), ...Env] }),
      ...(OnBuild.length === 0 ? {} : { OnBuild: [...(config.OnBuild ?? []), ...OnBuild] }),
      ...together("ExposedPorts", config, ExposedPorts),
      ...together("Labels", config, Labels),
      ...together("Volumes", config, Volumes),
    };
  }
  return config;
}

function together<K extends "ExposedPorts" | "Labels" | "Volumes">(
  key: K,
  config: ImageConfig,
  more: NonNullable<ImageConfig[K]>,
): ImageConfig {
  return Object.keys(more).length === 0 ? {} : { [key]: { ...config[key], ...more } };
}

const CHANGES: Readonly<Record<string, (rest: string, line: string, shell: readonly string[]) => ImageConfig>> = {
  CMD: (rest, line, shell) => ({ Cmd: program(rest, line, shell) }),
  ENTRYPOINT: (rest, line, shell) => ({ Entrypoint: program(rest, line, shell) }),
  ENV: (rest, line) => ({ Env: pairs(rest, line).map((pair) => pair.join("=")) }),
  EXPOSE: (rest, line) => ({ ExposedPorts: Object.fromEntries(rest.split(/\s+/).map((text) => [portKey(text, line), {}])) }),
  HEALTHCHECK: (rest, line) => ({
    Healthcheck: healthcheckOf(rest, { words: (text) => jsonWords(text, line), wrong: (hint) => usage(line, hint) }),
  }),
  LABEL: (rest, line) => ({ Labels: Object.fromEntries(pairs(rest, line)) }),
  ONBUILD: (rest, line) => {
    const [word = ""] = rest.split(/\s/);
    if (!/^[A-Za-z]+$/.test(word) || !/\s/.test(rest)) throw usage(line, "another line of a Dockerfile follows it");
    if (/^(?:FROM|MAINTAINER|ONBUILD)$/i.test(word)) throw usage(line, `${word.toUpperCase()} cannot be kept for a build`);
    return { OnBuild: [rest] };
  },
  SHELL: (rest, line) => {
    const words = jsonWords(rest, line);
    if (words === null || words.length === 0) throw usage(line, `a shell is written as a JSON list: ["/bin/sh", "-c"]`);
    return { Shell: words };
  },
  STOPSIGNAL: (StopSignal) => ({ StopSignal }),
  USER: (User) => ({ User }),
  VOLUME: (rest, line) => ({ Volumes: Object.fromEntries((jsonWords(rest, line) ?? rest.split(/\s+/)).map((path) => [path, {}])) }),
  WORKDIR: (WorkingDir, line) => {
    if (!WorkingDir.startsWith("/")) throw usage(line, "the directory is a whole path");
    return { WorkingDir };
  },
};

const KNOWN = Object.keys(CHANGES)
  .sort()
  .join(", ")
  .replace(/, (\w+)$/, " or $1");
const SHELL = ["/bin/sh", "-c"];

/** A JSON list, or a line for a shell. */
function program(rest: string, line: string, shell: readonly string[]): readonly string[] {
  return jsonWords(rest, line) ?? [...shell, rest];
}

function jsonWords(rest: string, line: string): readonly string[] | null {
  if (!rest.startsWith("[")) return null;
  try {
    const list: unknown = JSON.parse(rest);
    if (Array.isArray(list) && list.every((word) => typeof word === "string")) return list;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw usage(line, `a list is written as JSON: ["sleep", "infinity"]`);
}

/** `A=1 B="two words"`, or the old form `A the rest`. */
function pairs(rest: string, line: string): readonly (readonly [string, string])[] {
  const [, name, value] = /^([^\s=]+)\s+(.*)$/s.exec(rest) ?? [];
  if (name !== undefined && value !== undefined) return [[name, value]];
  const words = splitWords(rest);
  if (words === null) throw usage(line, "a quote is not closed");
  return words.map((word) => {
    const equals = word.indexOf("=");
    if (equals < 1) throw usage(line, "give NAME=VALUE");
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function portKey(text: string, line: string): string {
  const [, port = "", protocol = "tcp"] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  if (Number(port) < 1 || Number(port) > 65_535) throw usage(line, "give ports such as 80 or 53/udp");
  return `${port}/${protocol}`;
}

function usage(line: string, hint: string): Failure {
  return new Failure({ code: "E_USAGE", message: `--change ${JSON.stringify(line)} is not understood`, hint });
}
