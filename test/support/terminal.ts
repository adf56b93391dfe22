/** A command at a real terminal of its own, typed at and read by a test. */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "./until.ts";
import { WHARF, type World } from "./world.ts";

export interface AtTerminal {
  /** All that was shown so far. */
  shown(): string;
  /** Waits until this is shown, after what the last call waited for. */
  see(wanted: RegExp): Promise<void>;
  type(keys: string): void;
  /** Types a harmless command, again after each second, until this is shown: a shell that asks its terminal for the cursor may eat what comes then. */
  ask(keys: string, wanted: RegExp): Promise<void>;
  /** Gives the terminal another size. */
  resize(rows: number, columns: number): Promise<void>;
  /** The exit status. */
  readonly ended: Promise<number>;
}

/** Starts `wharf …` (words for a shell) at a terminal of 33 rows and 99 columns. */
export function atTerminal(world: World, words: string, { cwd }: { readonly cwd: string }): AtTerminal {
  // The terminal's name is told before anything else, so that its size can be changed from outside.
  const script = `stty rows 33 cols 99; tty; exec "${process.execPath}" "${WHARF}" ${words}`;
  const child = spawn("script", ["-qefc", script, "/dev/null"], { cwd, env: { ...world.env, TERM: "xterm", SHELL: "/bin/sh" } });
  let output = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const see = async (wanted: RegExp): Promise<void> => {
    await until(`${wanted} in ${JSON.stringify(output)}`, async () => wanted.test(output.slice(seen))).catch(() => {
      child.kill("SIGKILL");
      throw new Error(`${wanted} was not shown: ${JSON.stringify(output)}`);
    });
    seen += (wanted.exec(output.slice(seen))?.index ?? 0) + (wanted.exec(output.slice(seen))?.[0].length ?? 0);
  };
  return {
    shown: () => output,
    see,
    type: (keys) => void child.stdin.write(keys),
    ask: async (keys, wanted) => {
      for (let tries = 0; tries < 9 && !wanted.test(output.slice(seen)); tries++) {
        child.stdin.write(keys);
        for (let looks = 0; looks < 50 && !wanted.test(output.slice(seen)); looks++) await sleep(20);
      }
      await see(wanted);
    },
    resize: async (rows, columns) => {
      const [device = ""] = /\/dev\/pts\/\d+/.exec(output) ?? [];
      await ended(spawn("stty", ["-F", device, "rows", String(rows), "cols", String(columns)]));
    },
    ended: ended(child),
  };
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 255));
  });
}
