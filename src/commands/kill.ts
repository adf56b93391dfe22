import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { operate } from "../cli/operate.ts";

export default class Kill extends BaseCommand {
  static override readonly summary = "Send containers a signal: SIGKILL unless another is given.";
  static override readonly usage = "kill [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> kill", "<%= config.bin %> kill -s HUP web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    signal: Flags.string({ char: "s", default: "SIGKILL", helpValue: "SIGNAL", summary: "The signal." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Kill);
    await this.work(flags, (session) => operate(session, { kind: "kill", signal: flags.signal }, args.service ?? []));
  }
}
