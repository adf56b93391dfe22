import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { logs } from "../cli/logs.ts";

export default class Logs extends BaseCommand {
  static override readonly summary = "Show what containers write.";
  static override readonly usage = "logs [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> logs -f", "<%= config.bin %> logs --tail 20 --since 10m web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    follow: Flags.boolean({ char: "f", summary: "Go on until the containers end." }),
    tail: Flags.string({ char: "n", default: "all", helpValue: "LINES", summary: "Only the last lines of each container." }),
    since: Flags.string({ helpValue: "TIME", summary: "Only from this time or age on: 10m, 2026-01-02T03:04:05Z." }),
    until: Flags.string({ helpValue: "TIME", summary: "Only before this time or age." }),
    timestamps: Flags.boolean({ char: "t", summary: "Print the time of each line." }),
    "no-color": Flags.boolean({ summary: "Print without colour." }),
    "no-log-prefix": Flags.boolean({ summary: "Print lines without the container's name." }),
    index: Flags.integer({ min: 1, summary: "Number of the service's container." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logs);
    const { follow, tail, since, until, timestamps, index, "no-color": plain, "no-log-prefix": bare } = flags;
    const choice = { follow, tail, since, until, timestamps, index, colour: !plain, prefix: !bare };
    await this.work(flags, (session) => logs(session, args.service ?? [], choice));
  }
}
