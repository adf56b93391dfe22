/**
 * wharf as a plugin of oclif that is already in memory. oclif would look on disk for a package.json, a manifest, plugins and a tsconfig;
 * given a plugin object it looks for nothing. Only help needs even that: what a command that runs asks of its configuration is here.
 */
import type { Command, Interfaces } from "@oclif/core";
import type { Output } from "./output.ts";
import { VERSION } from "./version.ts";

export interface CommandModule {
  readonly default: Command.Class;
}

/** Commands by id (`up`, `image:ls`), each loaded when it is used. */
export type CommandTable = Readonly<Record<string, () => Promise<CommandModule>>>;

/** Runs one command. Throws what the command throws. */
export async function runCommand(table: CommandTable, id: string, argv: readonly string[]): Promise<void> {
  const load = table[id];
  if (load === undefined) throw new Error(`${id} is not in the table of commands`);
  const { default: command } = await load();
  command.id = id;
  const instance = Reflect.construct(command, [[...argv], RUNNING]);
  // Command.run would load a configuration; what it does after that is `_run`, which oclif keeps protected.
  await Reflect.apply(Reflect.get(instance, "_run"), instance, []);
}

const NAME = "wharf";

/** Of the configuration, what running a command comes to: no hooks, no variables that oclif reads, no search for the command's words in argv. */
const RUNNING: Pick<Interfaces.Config, "bin" | "topicSeparator" | "userAgent" | "runHook" | "scopedEnvVarKeys"> = {
  bin: NAME,
  topicSeparator: ":",
  userAgent: NAME,
  runHook: async () => ({ successes: [], failures: [] }),
  scopedEnvVarKeys: () => [],
};

/** Prints the help that argv asks for: of wharf (`[]`), of a topic (`["image"]`) or of a command (`["image", "ls"]`). */
export async function showHelp(table: CommandTable, argv: readonly string[], out: Output): Promise<void> {
  const commands = await Promise.all(Object.entries(table).map(async ([id, load]) => describe(id, (await load()).default)));
  const [{ Help }, config] = await Promise.all([import("@oclif/core/help"), configure(commands)]);
  class OnOutput extends Help {
    protected override log(...words: string[]): void {
      out.line(words.join(" "));
    }
  }
  await new OnOutput(config, { maxWidth: 120 }).showHelp([...argv]);
}

/** What help needs to know of a command. */
function describe(id: string, command: Command.Class): Command.Loadable {
  return {
    ...command,
    id,
    aliases: command.aliases,
    hiddenAliases: command.hiddenAliases,
    args: named(command.args),
    flags: named({ ...command.baseFlags, ...command.flags }),
    hidden: command.hidden === true,
    strict: command.strict,
    pluginName: NAME,
    load: async () => command,
  };
}

/** Puts each entry's key into it: where oclif caches a command, this is what it adds. */
function named<T extends object>(entries: Readonly<Record<string, T>>): Record<string, T & { readonly name: string }> {
  return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, { ...entry, name }]));
}

async function configure(commands: Command.Loadable[]): Promise<Interfaces.Config> {
  const root = "/"; // named in messages only
  const plugin: Interfaces.Plugin = {
    _base: NAME,
    alias: NAME,
    name: NAME,
    version: VERSION,
    root,
    pjson: PJSON,
    options: { root, isRoot: true },
    commands,
    commandIDs: commands.map((command) => command.id),
    commandsDir: undefined,
    topics: [
      { name: "autostart", description: "Containers that come back after a reboot." },
      { name: "image", description: "Images in the store: list, inspect, move, check, remove." },
      { name: "network", description: "Networks of all projects: list, inspect, make, remove." },
      { name: "volume", description: "Volumes of all projects: list, inspect, make, delete." },
    ],
    hooks: {},
    hasManifest: true,
    isRoot: true,
    moduleType: "module",
    type: "core",
    valid: true,
    load: async () => {},
    findCommand: () => Promise.reject(new Error("commands are found in the table")),
  };
  const { Config } = await import("@oclif/core/config");
  return Config.load({ root, pjson: PJSON, plugins: new Map([[NAME, plugin]]), userPlugins: false, devPlugins: false });
}

/** Exit status of a wrong command line, whatever is wrong with it. */
const USAGE = 64;

const PJSON: Interfaces.PJSON = {
  name: NAME,
  version: VERSION,
  description: "Run containers from one file: see the plan, change only what differs, no daemon.",
  oclif: {
    bin: NAME,
    dirname: NAME,
    topicSeparator: " ",
    exitCodes: {
      default: 1,
      failedFlagParsing: USAGE,
      failedFlagValidation: USAGE,
      invalidArgsSpec: USAGE,
      nonExistentFlag: USAGE,
      requiredArgs: USAGE,
      unexpectedArgs: USAGE,
    },
  },
};
