import { Flags } from "@oclif/core";
import { BaseCommand } from "../../cli/base-command.ts";
import { several } from "../../cli/flags.ts";
import { pruneNetworks } from "../../cli/networks.ts";

export default class NetworkPrune extends BaseCommand {
  static override readonly summary = "Remove networks that no container joins.";
  static override readonly usage = "network prune [FLAGS]";
  static override readonly examples = [
    "<%= config.bin %> network prune",
    "<%= config.bin %> network prune --filter project=shop --dry-run",
  ];
  static override readonly flags = {
    filter: several("Only networks that fit: label, project.", { helpValue: "KEY=VALUE" }),
    yes: Flags.boolean({ char: "y", summary: "Do not ask." }),
    force: Flags.boolean({ char: "f", summary: "Do not ask, as Docker spells it." }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkPrune);
    const { filter: filters = [], yes, force } = flags;
    await this.work(flags, (session) => pruneNetworks(session, { filters, yes: yes || force, dryRun: flags["dry-run"] }));
  }
}
