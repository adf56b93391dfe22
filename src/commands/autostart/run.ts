import { run } from "../../cli/autostart.ts";
import { BaseCommand } from "../../cli/base-command.ts";

export default class AutostartRun extends BaseCommand {
  static override readonly summary = "Start what is to come back after a reboot: what `autostart enable` has this machine do.";
  static override readonly usage = "autostart run [FLAGS]";
  static override readonly examples = ["<%= config.bin %> autostart run"];

  async run(): Promise<void> {
    const { flags } = await this.parse(AutostartRun);
    await this.work(flags, (session) => run(session));
  }
}
