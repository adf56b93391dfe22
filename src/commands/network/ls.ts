import { Flags } from "@oclif/core";
import { BaseCommand } from "../../cli/base-command.ts";
import { formatFlag, several } from "../../cli/flags.ts";
import { listNetworks } from "../../cli/networks.ts";

export default class NetworkLs extends BaseCommand {
  static override readonly summary = "List the networks of all projects.";
  static override readonly usage = "network ls [FLAGS]";
  static override readonly examples = ["<%= config.bin %> network ls", "<%= config.bin %> network ls --filter dangling=true -q"];
  static override readonly flags = {
    filter: several("Only networks that fit: dangling, driver, label, name, project.", { helpValue: "KEY=VALUE" }),
    quiet: Flags.boolean({ char: "q", summary: "Only names." }),
    format: formatFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkLs);
    const { filter: filters = [], quiet, format } = flags;
    await this.work(flags, (session) => listNetworks(session, { filters, quiet, format }));
  }
}
