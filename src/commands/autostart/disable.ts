import { disable } from "../../cli/autostart.ts";
import { BaseCommand } from "../../cli/base-command.ts";
import { AUTOSTART_FLAGS } from "../../cli/flags.ts";

export default class AutostartDisable extends BaseCommand {
  static override readonly summary = "Leave containers alone when this machine starts.";
  static override readonly usage = "autostart disable [FLAGS]";
  static override readonly examples = ["<%= config.bin %> autostart disable"];
  static override readonly flags = AUTOSTART_FLAGS;

  async run(): Promise<void> {
    const { flags } = await this.parse(AutostartDisable);
    await this.work(flags, (session) => disable(session, { with: flags.with, directory: flags.directory }));
  }
}
