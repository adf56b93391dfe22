import { enable } from "../../cli/autostart.ts";
import { BaseCommand } from "../../cli/base-command.ts";
import { AUTOSTART_FLAGS } from "../../cli/flags.ts";

export default class AutostartEnable extends BaseCommand {
  static override readonly summary = "Start containers with this machine: those with restart `always` or `unless-stopped`.";
  static override readonly usage = "autostart enable [FLAGS]";
  static override readonly examples = ["<%= config.bin %> autostart enable"];
  static override readonly flags = AUTOSTART_FLAGS;

  async run(): Promise<void> {
    const { flags } = await this.parse(AutostartEnable);
    await this.work(flags, (session) => enable(session, { with: flags.with, directory: flags.directory }));
  }
}
