import { type Diagnostic, Failure } from "../model/diagnostic.ts";
import { detachKeys } from "./detach.ts";
import { ProgramFailure } from "./report.ts";
import { containerOf } from "./selection.ts";
import type { Session } from "./session.ts";

export interface ExecChoice {
  readonly target: string;
  readonly argv: readonly string[];
  readonly index: number | null;
  readonly detach: boolean;
  /** `false`: never give it a terminal. Else it gets one when both standard streams are terminals. */
  readonly terminal: boolean;
  /** `K=V` each; without a value the caller's own. */
  readonly env: readonly string[];
  readonly user: string | null;
  readonly workingDir: string | null;
  readonly privileged: boolean;
  /** Keys that leave it running. */
  readonly detachKeys: string | undefined;
}

/** Runs a program in a running container. Gives its exit status. */
export async function exec(session: Session, choice: ExecChoice): Promise<number> {
  const keys = detachKeys(choice.detachKeys);
  if (choice.argv.length === 0) {
    throw new Failure({ code: "E_USAGE", message: `what should run in ${choice.target}?`, hint: `wharf exec ${choice.target} sh` });
  }
  const container = await containerOf(session, choice.target, choice.index);
  if (container.state !== "running" && container.state !== "paused") {
    const hint = `wharf start ${container.service ?? container.name} starts it`;
    throw new Failure({ code: "E_NOT_RUNNING", message: `container ${container.name} is not running (${container.state})`, hint });
  }
  const engine = await session.engine();
  return programStatus(async () => {
    const status = await engine.exec(
      container.id,
      {
        argv: choice.argv,
        tty: !choice.detach && choice.terminal && onTerminal(),
        stdin: !choice.detach,
        detach: choice.detach,
        env: environmentOf(choice.env, session.settings.env),
        user: choice.user,
        workingDir: choice.workingDir,
        privileged: choice.privileged,
        detachKeys: keys,
      },
      session.signal,
    );
    if (status === null) session.say(`\ndetached from ${choice.argv[0]} in ${container.name}, which runs on`);
    return status ?? 0;
  });
}

/** Whether somebody sits in front of both standard streams. */
export function onTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

/** Variables as `-e` gives them: `K=V`, or `K` for the caller's value (left out when the caller has none). */
export function environmentOf(
  entries: readonly string[],
  caller: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const entry of entries) {
    const equals = entry.indexOf("=");
    const name = equals < 0 ? entry : entry.slice(0, equals);
    if (name === "") throw new Failure({ code: "E_USAGE", message: `-e ${entry}: give NAME=VALUE, or NAME for your own value` });
    const value = equals < 0 ? caller[name] : entry.slice(equals + 1);
    if (value !== undefined) result[name] = value;
  }
  return result;
}

/** Lets a failure to begin a program end the command as a shell would. */
export async function programStatus(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    const status = error instanceof Failure ? statusOfProgram(error.diagnostics) : null;
    throw error instanceof Failure && status !== null ? new ProgramFailure(error, status) : error;
  }
}

/** The status of a program that could not be begun: 127 when it is not there, 126 when it cannot be executed, as shells have it. */
export function statusOfProgram(diagnostics: readonly Diagnostic[]): 126 | 127 | null {
  if (diagnostics.some(({ code }) => code === "E_COMMAND_NOT_FOUND")) return 127;
  return diagnostics.some(({ code }) => code === "E_COMMAND_NOT_EXECUTABLE") ? 126 : null;
}
