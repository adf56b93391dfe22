import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { inspectNetworks } from "../../cli/networks.ts";

export default class NetworkInspect extends BaseCommand {
  static override readonly summary = "Show everything about networks, in the form of Docker.";
  static override readonly usage = "network inspect [FLAGS] NAME...";
  static override readonly examples = ["<%= config.bin %> network inspect shop_default"];
  static override readonly args = { name: ARG.some("Networks, by their full names.") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NetworkInspect);
    await this.work(flags, (session) => inspectNetworks(session, args.name));
  }
}
