import { ARG, BaseCommand } from "../cli/base-command.ts";
import { formatFlag } from "../cli/flags.ts";
import { top } from "../cli/top.ts";

export default class Top extends BaseCommand {
  static override readonly summary = "Show the processes of containers that run.";
  static override readonly usage = "top [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> top", "<%= config.bin %> top web --format json"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = { format: formatFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Top);
    await this.work(flags, (session) => top(session, { names: args.service ?? [], format: flags.format }));
  }
}
