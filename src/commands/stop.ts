import { ARG, BaseCommand } from "../cli/base-command.ts";
import { timeoutFlag } from "../cli/flags.ts";
import { operate } from "../cli/operate.ts";
import { graceMs } from "../cli/up.ts";

export default class Stop extends BaseCommand {
  static override readonly summary = "Stop containers and keep them.";
  static override readonly usage = "stop [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> stop", "<%= config.bin %> stop -t 2 web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    timeout: timeoutFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Stop);
    await this.work(flags, (session) => operate(session, { kind: "stop", graceMs: graceMs(flags.timeout) }, args.service ?? []));
  }
}
