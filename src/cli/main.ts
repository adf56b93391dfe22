/** The command's entry: finds the verb in argv and runs it. */
import { COMMANDS } from "../commands/table.ts";
import { runCommand, showHelp } from "./host.ts";

main(process.argv.slice(2)).catch((error: unknown) => {
  throw error;
});

async function main(argv: readonly string[]): Promise<void> {
  const [first, second, ...rest] = argv;
  if (first === undefined || argv.includes("--help")) return showHelp(COMMANDS, argv);
  if (second !== undefined && `${first}:${second}` in COMMANDS) return runCommand(COMMANDS, `${first}:${second}`, rest);
  return runCommand(COMMANDS, first, argv.slice(1));
}
