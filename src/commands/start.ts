import { ARG, BaseCommand } from "../cli/base-command.ts";
import { operate } from "../cli/operate.ts";

export default class Start extends BaseCommand {
  static override readonly summary = "Start containers that exist.";
  static override readonly usage = "start [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> start", "<%= config.bin %> start web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Start);
    await this.work(flags, (session) => operate(session, { kind: "start" }, args.service ?? []));
  }
}
