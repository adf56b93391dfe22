import { doctor } from "../cli/about.ts";
import { BaseCommand } from "../cli/base-command.ts";
import { formatFlag } from "../cli/flags.ts";

export default class Doctor extends BaseCommand {
  static override readonly summary = "Say for each engine what is there, what is missing, and the command that mends it.";
  static override readonly usage = "doctor [FLAGS]";
  static override readonly examples = ["<%= config.bin %> doctor"];
  static override readonly flags = {
    format: formatFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    await this.work(flags, (session) => doctor(session, { format: flags.format }));
  }
}
