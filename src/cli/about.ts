import type { Check } from "../engine/doctor.ts";
import { CODES, type Code } from "../model/codes.ts";
import { Failure } from "../model/diagnostic.ts";
import { suggestion } from "../model/suggest.ts";
import { DEFAULT_ENGINES, ENGINES, type EngineModule, type EngineName } from "./engines.ts";
import type { Session } from "./session.ts";
import { VERSION, versionLine } from "./version.ts";

/** Prints the version: alone with `short`, with what it runs on as JSON. */
export function version(session: Session, options: { readonly short: boolean; readonly format: string }): number {
  if (options.format === "json") session.out.line(JSON.stringify({ version: VERSION, node: process.version }));
  else session.out.line(options.short ? VERSION : versionLine());
  return 0;
}

/** Prints the longer text of a diagnostic's code. */
export function explain(session: Session, text: string): number {
  const code = text.toUpperCase();
  if (!isCode(code)) {
    throw new Failure({ code: "E_USAGE", message: `there is no code ${text}`, ...suggestion(code, Object.keys(CODES)) });
  }
  session.out.line(`${code}\n\n${wrapped(CODES[code].explain)}`);
  return 0;
}

/** Says for each engine what is there and what is missing, with the command that mends it. 69 when no engine can work. */
export async function doctor(session: Session, options: { readonly format: string }): Promise<number> {
  const { engine, root, run, env, insecureRegistries } = session.settings;
  const names: readonly EngineName[] = engine === null ? DEFAULT_ENGINES : [engine];
  const found = await Promise.all(
    names.map(async (name) => {
      const module: EngineModule = await ENGINES[name]();
      return { engine: name, checks: await module.doctor({ root, run, env, insecureRegistries }) };
    }),
  );
  if (options.format === "json")
    session.out.line(
      JSON.stringify(
        found.map((each) => ({ ...each, ok: works(each.checks) })),
        null,
        2,
      ),
    );
  else for (const { engine: name, checks } of found) printChecks(session, name, checks);
  return found.some(({ checks }) => works(checks)) ? 0 : 69;
}

function isCode(text: string): text is Code {
  return Object.hasOwn(CODES, text);
}

function works(checks: readonly Check[]): boolean {
  return checks.every(({ ok }) => ok);
}

function printChecks(session: Session, name: EngineName, checks: readonly Check[]): void {
  const { style, out } = session;
  out.line(`${style.bold(name)}: ${works(checks) ? style.green("works here") : style.red("does not work here yet")}`);
  for (const { name: what, ok, detail, fix } of checks) {
    out.line(`  ${ok ? style.green("✔") : style.red("✘")} ${what}: ${detail}`);
    if (!ok && fix !== null) out.line(`      ${style.cyan(fix)}`);
  }
}

/** In lines of at most 80 columns. */
function wrapped(text: string): string {
  return text.replace(/(.{1,80})(?: +|$)/g, "$1\n").trimEnd();
}
