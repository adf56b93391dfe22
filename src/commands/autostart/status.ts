import { status } from "../../cli/autostart.ts";
import { BaseCommand } from "../../cli/base-command.ts";
import { AUTOSTART_FLAGS } from "../../cli/flags.ts";

export default class AutostartStatus extends BaseCommand {
  static override readonly summary = "Tell which containers come back after a reboot, and by what.";
  static override readonly usage = "autostart status [FLAGS]";
  static override readonly examples = ["<%= config.bin %> autostart status"];
  static override readonly flags = AUTOSTART_FLAGS;

  async run(): Promise<void> {
    const { flags } = await this.parse(AutostartStatus);
    await this.work(flags, (session) => status(session, { with: flags.with, directory: flags.directory }));
  }
}
