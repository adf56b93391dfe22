import { ARG, BaseCommand } from "../cli/base-command.ts";
import { targetOf } from "../cli/flags.ts";
import { runOnce } from "../cli/one-off.ts";
import { RUN_FLAGS, runChoice } from "../cli/run-flags.ts";

export default class Run extends BaseCommand {
  static override readonly summary = "Run one container from a service, with a command of your choice.";
  static override readonly usage = "run [FLAGS] SERVICE [COMMAND] [ARG...]";
  static override readonly examples = ["<%= config.bin %> run --rm web sh", "<%= config.bin %> run --rm -e DEBUG=1 -p 8080:80 web"];
  static override readonly args = { service: ARG.optional("The service."), command: ARG.optional("The command instead of its own.") };
  static override readonly flags = RUN_FLAGS;

  async run(): Promise<void> {
    const { own, passed } = this.divided();
    const { flags } = await this.parse(Run, own);
    const { target: service, argv } = targetOf(passed, "wharf run SERVICE [COMMAND]");
    const forced = flags.tty || own.some((word) => word === "--no-tty=false" || word === "-T=false");
    const choice = { service, argv, forced, ...runChoice(flags) };
    const quiet = flags.quiet ? { ...flags, progress: "quiet" } : flags;
    await this.work(quiet, (session) => runOnce(session, choice));
  }
}
