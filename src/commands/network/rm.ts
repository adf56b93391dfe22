import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { removeNetworks } from "../../cli/networks.ts";

export default class NetworkRm extends BaseCommand {
  static override readonly summary = "Remove networks that no container joins.";
  static override readonly usage = "network rm [FLAGS] NAME...";
  static override readonly examples = ["<%= config.bin %> network rm proxy"];
  static override readonly args = { name: ARG.some("Networks, by their full names.") };
  static override readonly flags = {
    force: Flags.boolean({ char: "f", summary: "That one is not there is no error." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NetworkRm);
    await this.work(flags, (session) => removeNetworks(session, args.name, { force: flags.force }));
  }
}
