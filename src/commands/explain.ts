import { explain } from "../cli/about.ts";
import { ARG, BaseCommand } from "../cli/base-command.ts";

export default class Explain extends BaseCommand {
  static override readonly summary = "Explain the code of an error or a warning.";
  static override readonly usage = "explain [FLAGS] CODE";
  static override readonly examples = ["<%= config.bin %> explain E_PORT_TAKEN"];
  static override readonly args = { code: ARG.required("The code, as errors show it.") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Explain);
    await this.work(flags, async (session) => explain(session, args.code));
  }
}
