import { ARG, BaseCommand } from "../cli/base-command.ts";
import { operate } from "../cli/operate.ts";

export default class Pause extends BaseCommand {
  static override readonly summary = "Hold containers still: their processes keep their memory and get no time.";
  static override readonly usage = "pause [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> pause", "<%= config.bin %> pause web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Pause);
    await this.work(flags, (session) => operate(session, { kind: "pause" }, args.service ?? []));
  }
}
