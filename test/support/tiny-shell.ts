import { setTimeout as sleep } from "node:timers/promises";
import type { ProgramCall } from "../../src/engines/memory/programs.ts";

/**
 * The little of a shell that the scripts of tests are written in, for containers without a process: `echo`, `printf`, `sleep`, `exit`,
 * `test "$NAME" = value`, `trap 'exit N' SIGNAL` and one endless loop, put together with `;`.
 */
export async function tinyShell({ argv, env, print, onSignal, over }: ProgramCall): Promise<number> {
  const [shell, flag, script] = argv;
  if (shell !== "sh" || flag !== "-c" || script === undefined) return 127;
  const traps = new Map<string, number | null>();
  let status = 0;
  const told = new Promise<number>((resolve) => {
    onSignal((signal) => {
      const answer = traps.get(signal);
      if (answer !== undefined && answer !== null) resolve(answer); // a first process minds no signal that it has no trap for
    });
  });
  const statements = script.replaceAll(LOOP, "sleep 1000").split(/; */);
  for (const statement of statements) {
    const [word = "", ...rest] = statement.split(" ");
    const text = rest.join(" ");
    if (word === "exit") return Number(text);
    else if (word === "echo") print(text.endsWith(">&2") ? "stderr" : "stdout", `${text.replace(/ ?>&2$/, "")}\n`);
    else if (word === "printf") print("stdout", text);
    else if (word === "test") status = holds(text, env) ? 0 : 1;
    else if (word === "trap") setTrap(traps, text);
    else if (word === "sleep") {
      const answer = await Promise.race([told, sleep(Number(text) * 1000, null, { signal: over })]);
      if (answer !== null) return answer;
    } else throw new Error(`the tiny shell cannot do: ${statement}`);
  }
  return status;
}

const LOOP = "while :; do sleep 0.05; done";

function holds(text: string, env: Readonly<Record<string, string>>): boolean {
  const [, name = "", wanted] = /^"\$(\w+)" = "?(\w*)"?$/.exec(text) ?? [];
  return (env[name] ?? "") === wanted;
}

/** `null`: the signal is to be ignored. */
function setTrap(traps: Map<string, number | null>, text: string): void {
  const [, status, signal] = /^'(?:exit (\d+))?' (\w+)$/.exec(text) ?? [];
  traps.set(`SIG${signal}`, status === undefined ? null : Number(status));
}
