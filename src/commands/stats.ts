import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { templateFlag } from "../cli/flags.ts";
import { stats } from "../cli/stats.ts";

export default class Stats extends BaseCommand {
  static override readonly summary = "Show what containers use of processor, memory, network and disk, anew each second.";
  static override readonly usage = "stats [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> stats", "<%= config.bin %> stats --no-stream --format json web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    all: Flags.boolean({ char: "a", summary: "Those too that do not run." }),
    "no-stream": Flags.boolean({ summary: "Only once." }),
    "no-trunc": Flags.boolean({ summary: "Cut nothing off." }),
    format: templateFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Stats);
    const { all, "no-stream": once, "no-trunc": noTrunc, format } = flags;
    await this.work(flags, (session) => stats(session, { names: args.service ?? [], all, stream: !once, noTrunc, format }));
  }
}
