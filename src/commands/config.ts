import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { config } from "../cli/config.ts";

export default class Config extends BaseCommand {
  static override readonly summary = "Check the spec and print it as it is understood.";
  static override readonly usage = "config [FLAGS] [SERVICE...]";
  static override readonly examples = [
    "<%= config.bin %> config",
    "<%= config.bin %> config -q && echo fine",
    "<%= config.bin %> config --services",
  ];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    format: Flags.string({ options: ["yaml", "json"], default: "yaml", helpValue: "yaml|json", summary: "How it is printed." }),
    quiet: Flags.boolean({ char: "q", summary: "Only check." }),
    services: Flags.boolean({ summary: "Only names of services." }),
    images: Flags.boolean({ summary: "Only names of images." }),
    volumes: Flags.boolean({ summary: "Only names of volumes." }),
    networks: Flags.boolean({ summary: "Only names of networks." }),
    profiles: Flags.boolean({ summary: "Only names of profiles." }),
    hash: Flags.string({ helpValue: "SERVICE|*", summary: "Only the hash that decides whether a container is replaced." }),
    output: Flags.string({ char: "o", helpValue: "FILE", summary: "File to write instead of standard output." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Config);
    const { format, quiet, hash, output } = flags;
    const list = (["services", "images", "volumes", "networks", "profiles"] as const).find((kind) => flags[kind]) ?? null;
    await this.work(flags, (session) => config(session, { services: args.service ?? [], format, quiet, list, hash, output }));
  }
}
