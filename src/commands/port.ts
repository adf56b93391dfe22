import { Args, Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { port } from "../cli/listings.ts";

export default class Port extends BaseCommand {
  static override readonly summary = "Show where a port of a container is published.";
  static override readonly usage = "port [FLAGS] SERVICE PORT";
  static override readonly examples = ["<%= config.bin %> port web 3000"];
  static override readonly args = {
    service: ARG.required("Service or container."),
    port: Args.string({ description: "Port of the container: 80, or 53/udp.", required: true, ignoreStdin: true }),
  };
  static override readonly flags = {
    protocol: Flags.string({ default: "tcp", options: ["tcp", "udp", "sctp"], helpValue: "tcp|udp|sctp", summary: "The port's protocol." }),
    index: Flags.integer({ min: 1, summary: "Number of the service's container." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Port);
    const { protocol, index } = flags;
    await this.work(flags, (session) => port(session, { service: args.service, port: args.port, protocol, index: index ?? null }));
  }
}
