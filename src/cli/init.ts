import { access, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { splitWords } from "../lib/shell-words.ts";
import { Failure } from "../model/diagnostic.ts";
import { fromDockerRun } from "../spec/docker-run.ts";
import { DEFAULT_FILES } from "../spec/locate.ts";
import { yamlText } from "../spec/yaml-text.ts";
import type { Session } from "./session.ts";

export interface InitOptions {
  /** Words of a `docker run` line to make the spec of; none: the starter. */
  readonly words: readonly string[];
  /** The same line as one text. */
  readonly from: string | undefined;
  /** The file to write; `-` is standard output. */
  readonly output: string;
  /** Write over what is there. */
  readonly force: boolean;
}

const SCHEMA = "# yaml-language-server: $schema=./node_modules/@wharf/cli/schemas/spec.schema.json\n";

const STARTER = `${SCHEMA}# What runs here. \`wharf up\` makes it so, \`wharf plan\` shows what that would change, \`wharf config\` how it is understood.

services:
  web:
    image: nginx:1.27-alpine
    ports:
      - "8080:80" # host:container, http://localhost:8080
    # cmd: nginx -g 'daemon off;'     # instead of the image's command
    # env:
    #   LEVEL: \${LEVEL:-info}         # from the environment or .env, else info
    # volumes:
    #   - ./site:/usr/share/nginx/html:ro
    #   - data:/data
    # depends_on: [db]
    # restart: unless-stopped

# volumes:
#   data:
`;

/** Writes a spec to begin with. */
export async function init(session: Session, options: InitOptions): Promise<number> {
  const text = contents(options);
  if (options.output === "-") {
    session.out.write(text);
    return 0;
  }
  const path = join(session.settings.cwd, options.output);
  if (!options.force) await refuseExisting(session.settings.cwd, options.output);
  await writeFile(path, text);
  session.say(`${options.output} is written: wharf up starts it`);
  return 0;
}

function contents({ words, from }: InitOptions): string {
  const line = from === undefined ? words : splitWords(from.replaceAll("\\\n", " "));
  if (line === null) throw new Failure({ code: "E_USAGE", message: "a quote of the line is not closed" });
  return line.length === 0 ? STARTER : `${SCHEMA}\n${yamlText(fromDockerRun(line))}`;
}

/** A spec that is there already would be hidden, or lost. */
async function refuseExisting(directory: string, output: string): Promise<void> {
  for (const name of new Set([basename(output), ...DEFAULT_FILES.map((file) => file.name)])) {
    const exists = await access(join(directory, name)).then(
      () => true,
      () => false,
    );
    if (!exists) continue;
    const same = name === basename(output);
    throw new Failure({
      code: "E_USAGE",
      message: same ? `${name} is there already` : `${name} is there already, and wharf reads it as it is`,
      hint: same
        ? "give --force to write over it, or -o - to see what would be written"
        : "give --force to write another one beside it, which goes before it",
    });
  }
}
