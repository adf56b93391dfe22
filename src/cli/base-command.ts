import { Args, Command, type Interfaces } from "@oclif/core";
import { Failure } from "../model/diagnostic.ts";
import { GLOBAL_FLAGS, unknownFlag } from "./argv.ts";
import { GLOBAL } from "./global-flags.ts";
import { reportError } from "./report.ts";
import { Session } from "./session.ts";
import { type GlobalFlags, type Settings, settingsOf, surroundings } from "./settings.ts";
import { isAbort } from "./signals.ts";

type FlagOutput = Interfaces.OutputFlags<Interfaces.FlagInput>;
type ArgOutput = Interfaces.OutputArgs<Interfaces.ArgInput>;

/** What all commands share: the global flags, a session to work in, errors as diagnostics, the exit status. */
export abstract class BaseCommand extends Command {
  static override readonly baseFlags = GLOBAL;
  #settings: Settings | null = null;
  /** The status that an interruption asks for. */
  #interrupted: number | null = null;

  /** Runs the command's work in a session; the number that it gives is the exit status. */
  protected async work(flags: GlobalFlags, act: (session: Session) => Promise<number>): Promise<void> {
    this.#settings = settingsOf(flags, surroundings());
    if (this.#settings.dryRun && !REHEARSED.has(this.ctor.id)) throw noRehearsal(spoken(this.ctor));
    const session = new Session(this.#settings);
    try {
      process.exitCode = await act(session);
    } catch (error) {
      if (!session.signal.aborted || !isAbort(error)) throw error;
    } finally {
      this.#interrupted = session.interrupts.status;
      await session.close();
      process.exitCode = this.#interrupted ?? process.exitCode;
    }
  }

  /** The words before the first `--`, and those behind it, which are another program's and must not be touched. */
  protected divided(): { readonly own: string[]; readonly passed: readonly string[] } {
    const at = this.argv.indexOf("--");
    return at < 0 ? { own: [...this.argv], passed: [] } : { own: this.argv.slice(0, at), passed: this.argv.slice(at + 1) };
  }

  protected override async parse<F extends FlagOutput, B extends FlagOutput, A extends ArgOutput>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    try {
      return await super.parse(options, this.#withoutBooleans(argv ?? this.argv));
    } catch (error) {
      throw error instanceof Error ? usageFailure(error, this.ctor) : error;
    }
  }

  /** `--flag=true` and `--flag=false`, as Compose's users write them, in the form that oclif reads. */
  #withoutBooleans(argv: readonly string[]): string[] {
    const known: Readonly<Record<string, { readonly type: string; readonly allowNo?: boolean }>> = {
      ...this.ctor.baseFlags,
      ...this.ctor.flags,
    };
    // What is passed on to a program in a container is not ours to read.
    const end = this.ctor.strict ? argv.length : argv.findIndex((word) => !word.startsWith("-"));
    return argv.flatMap((word, i) => {
      const [, name = "", value] = /^--([\w-]+)=(true|false)$/.exec(word) ?? [];
      const flag = known[name];
      if ((end >= 0 && i >= end) || flag?.type !== "boolean") return [word];
      if (value === "true") return [`--${name}`];
      return flag.allowNo === true ? [`--no-${name}`] : [];
    });
  }

  protected override async catch(error: Interfaces.CommandError): Promise<void> {
    const status = await reportError(error, this.#settings);
    process.exitCode = this.#interrupted ?? status;
  }
}

/** Commands that with `--dry-run` change nothing: they plan first, or only look. */
const REHEARSED: ReadonlySet<string> = new Set(
  (
    "create down kill pause restart rm scale start stop unpause up " +
    "config doctor events explain history image:du image:history image:inspect image:ls image:prune image:verify images inspect logs ls " +
    "network:inspect network:ls network:prune plan port ps stats top version volume:inspect volume:ls volume:prune volumes rollback"
  ).split(" "),
);

function noRehearsal(command: string): Failure {
  const hint =
    "`wharf plan` shows what `up` would do; --dry-run goes with create, down, kill, pause, restart, rm, scale, start, stop and up";
  return new Failure({ code: "E_USAGE", message: `${command} cannot be tried with --dry-run`, hint });
}

/** Positional arguments of commands. oclif would read standard input for one that is missing, and so eat the input of the shell loop around it. */
export const ARG = {
  required: (description: string) => Args.string({ description, required: true, ignoreStdin: true }),
  optional: (description: string) => Args.string({ description, ignoreStdin: true }),
  some: (description: string) => Args.string({ description, required: true, multiple: true, ignoreStdin: true }),
  any: (description: string) => Args.string({ description, multiple: true, ignoreStdin: true }),
} as const;

/** What oclif's parser says, in our words. */
function usageFailure(error: Error, command: typeof Command): Failure {
  const [flag] = "flags" in error && Array.isArray(error.flags) ? error.flags : [];
  if (typeof flag === "string") return flagFailure(flag, command);
  const missing = error.message.startsWith("Missing") ? namesOf(error).map((name) => name.toUpperCase()) : [];
  const message = missing.length > 0 ? `${spoken(command)} needs ${missing.join(" and ")}` : oneLine(error.message);
  return new Failure({ code: "E_USAGE", message, hint: `see ${spoken(command)} --help` }, { cause: error });
}

/** oclif says some things over several lines, with a heading and advice of its own. */
function oneLine(message: string): string {
  const lines = message.split("\n").map((line) => line.trim());
  const telling = lines.filter((line) => line !== "" && !/^(The following errors? occurred:|See more help )/.test(line));
  return telling.join(": ") || "the command line is wrong";
}

function flagFailure(flag: string, command: typeof Command): Failure {
  const [global] = Object.entries(GLOBAL_FLAGS).find(([, { char }]) => `-${char}` === flag) ?? [];
  if (global !== undefined) {
    const hint = `write --${global}, or ${flag} before the command: wharf ${flag} … ${spoken(command).slice("wharf ".length)}`;
    return new Failure({ code: "E_UNKNOWN_FLAG", message: `${spoken(command)} has no flag ${flag} of its own`, hint });
  }
  const all = Object.entries({ ...command.baseFlags, ...command.flags });
  const names = all.flatMap(([name, { hidden }]) => (hidden === true ? [] : [name]));
  return unknownFlag(flag, names, `${spoken(command)} --help lists its flags`);
}

/** The names of the arguments that an error is about. */
function namesOf(error: Error): readonly string[] {
  const args: unknown = "args" in error ? error.args : [];
  if (!Array.isArray(args)) return [];
  return args.flatMap((arg: unknown) => (typeof arg === "object" && arg !== null && "name" in arg ? [String(arg.name)] : []));
}

function spoken(command: typeof Command): string {
  return `wharf ${command.id.replace(":", " ")}`;
}
