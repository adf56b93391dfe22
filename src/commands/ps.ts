import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { several, templateFlag } from "../cli/flags.ts";
import { ps } from "../cli/ps.ts";

export default class Ps extends BaseCommand {
  static override readonly summary = "List the containers of the project that run, or all.";
  static override readonly usage = "ps [FLAGS] [SERVICE...]";
  static override readonly examples = [
    "<%= config.bin %> ps",
    "<%= config.bin %> ps -a --format json",
    "<%= config.bin %> ps -q --status exited",
  ];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    all: Flags.boolean({ char: "a", summary: "Those too that do not run." }),
    quiet: Flags.boolean({ char: "q", summary: "Only ids." }),
    services: Flags.boolean({ summary: "Only names of services." }),
    format: templateFlag,
    status: several("Only containers in this state.", { helpValue: "STATE" }),
    filter: several("As status=STATE.", { helpValue: "KEY=VALUE" }),
    orphans: Flags.boolean({ default: true, allowNo: true, summary: "Those too whose service the spec does not have." }),
    "no-trunc": Flags.boolean({ summary: "Cut nothing off." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Ps);
    const { all, quiet, services, format, orphans, "no-trunc": noTrunc, status: statuses = [], filter: filters = [] } = flags;
    const options = { names: args.service ?? [], all, quiet, services, format, orphans, noTrunc, statuses, filters };
    await this.work(flags, (session) => ps(session, options));
  }
}
