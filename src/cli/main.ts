/** The command's entry: finds what argv asks for and does it. Only the exit status is left when it is done. */
import { COMMANDS } from "../commands/table.ts";
import { commandLine } from "./argv.ts";
import { runCommand, showHelp } from "./host.ts";
import { Output } from "./output.ts";
import { reportError } from "./report.ts";
import { versionLine } from "./version.ts";

main(process.argv.slice(2)).catch(async (error: unknown) => {
  process.exitCode = await reportError(error, null);
});

async function main(argv: readonly string[]): Promise<void> {
  const ids = Object.keys(COMMANDS);
  const line = commandLine(argv, ids);
  const out = new Output(1);
  switch (line.kind) {
    case "version":
      out.line(versionLine());
      return;
    case "help":
      if (line.words.length > 0) commandLine(line.words, ids); // throws for a command that does not exist
      await showHelp(COMMANDS, line.words, out);
      return;
    case "run":
      await runCommand(COMMANDS, line.id, line.argv);
  }
}
