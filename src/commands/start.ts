import { ARG, BaseCommand } from "../cli/base-command.ts";
import { WAIT_FLAGS } from "../cli/flags.ts";
import { operate } from "../cli/operate.ts";
import { patienceOf, waitWell } from "../cli/wait-well.ts";

export default class Start extends BaseCommand {
  static override readonly summary = "Start containers that exist.";
  static override readonly usage = "start [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> start", "<%= config.bin %> start web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = WAIT_FLAGS;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Start);
    const services = args.service ?? [];
    await this.work(flags, async (session) => {
      const patience = patienceOf(flags);
      const status = await operate(session, { kind: "start" }, services, patience);
      return status === 0 && flags.wait ? waitWell(session, { services, dependencies: false }, patience) : status;
    });
  }
}
