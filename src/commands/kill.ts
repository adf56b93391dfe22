import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { kill, signalNamed } from "../cli/operate.ts";

export default class Kill extends BaseCommand {
  static override readonly summary = "Send containers a signal: SIGKILL unless another is given.";
  static override readonly usage = "kill [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> kill", "<%= config.bin %> kill -s HUP web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    signal: Flags.string({
      char: "s",
      default: "SIGKILL",
      helpValue: "SIGNAL",
      summary: "The signal, with SIG or without, or its number.",
    }),
    "remove-orphans": Flags.boolean({ summary: "Remove containers of services that the spec does not have." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Kill);
    const choice = { signal: signalNamed(flags.signal), removeOrphans: flags["remove-orphans"], names: args.service ?? [] };
    await this.work(flags, (session) => kill(session, choice));
  }
}
