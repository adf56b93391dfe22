import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { several } from "../../cli/flags.ts";
import { createNetwork } from "../../cli/networks.ts";

export default class NetworkCreate extends BaseCommand {
  static override readonly summary = "Make a network that belongs to no project: specs name it as external.";
  static override readonly usage = "network create [FLAGS] NAME";
  static override readonly examples = [
    "<%= config.bin %> network create proxy",
    "<%= config.bin %> network create --subnet 172.28.0.0/16 --ipv6 --internal lab",
  ];
  static override readonly args = { name: ARG.required("Its name.") };
  static override readonly flags = {
    driver: Flags.string({ char: "d", default: "bridge", helpValue: "bridge", summary: "The only driver there is." }),
    opt: several("An option of the driver.", { char: "o", helpValue: "KEY=VALUE" }),
    label: several("A label.", { char: "l", helpValue: "KEY=VALUE" }),
    subnet: several("A subnet, one of each family at most.", { helpValue: "CIDR" }),
    gateway: several("The bridge's own address in a subnet.", { helpValue: "ADDRESS" }),
    "ip-range": several("The part of a subnet that containers get addresses from.", { helpValue: "CIDR" }),
    internal: Flags.boolean({ summary: "No way to the outside." }),
    ipv6: Flags.boolean({ summary: "Give IPv6 addresses too." }),
    attachable: Flags.boolean({ hidden: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NetworkCreate);
    const { driver, internal, ipv6, opt: options = [], label: labels = [], subnet: subnets = [], gateway: gateways = [] } = flags;
    const { "ip-range": ranges = [] } = flags;
    const choice = { driver, options, labels, subnets, gateways, ranges, internal, ipv6 };
    await this.work(flags, (session) => createNetwork(session, args.name, choice));
  }
}
