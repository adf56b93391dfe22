import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { timeoutFlag } from "../cli/flags.ts";
import { operate } from "../cli/operate.ts";
import { graceMs } from "../cli/up.ts";

export default class Restart extends BaseCommand {
  static override readonly summary = "Stop containers and start them again.";
  static override readonly usage = "restart [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> restart", "<%= config.bin %> restart web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    timeout: timeoutFlag,
    "no-deps": Flags.boolean({ summary: "Only the services named, not those that ask to be restarted with them (depends_on.restart)." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Restart);
    await this.work(flags, (session) =>
      operate(session, { kind: "restart", graceMs: graceMs(flags.timeout), alone: flags["no-deps"] }, args.service ?? []),
    );
  }
}
