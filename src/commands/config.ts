import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { config, configOptions } from "../cli/config.ts";
import { several } from "../cli/flags.ts";

const left = (summary: string) => Flags.boolean({ summary });

export default class Config extends BaseCommand {
  static override readonly summary = "Check the spec and print it as it is understood.";
  static override readonly usage = "config [FLAGS] [SERVICE...]";
  static override readonly examples = [
    "<%= config.bin %> config",
    "<%= config.bin %> config -q && echo fine",
    "<%= config.bin %> config --explain services.web.image",
  ];
  static override readonly args = { service: ARG.any("Services, with what they depend on; none means all.") };
  static override readonly flags = {
    format: Flags.string({
      options: ["yaml", "json"],
      helpValue: "yaml|json",
      summary: "How it is printed; yaml, or a table of --variables.",
    }),
    quiet: Flags.boolean({ char: "q", summary: "Only check." }),
    services: left("Only names of services."),
    images: left("Only names of images."),
    volumes: left("Only names of volumes."),
    networks: left("Only names of networks."),
    models: left("Only names of AI models."),
    profiles: left("Only names of profiles."),
    variables: left("Only the variables that the files ask for."),
    environment: left("Only the variables that the files see."),
    filter: several(
      "With --services, only those of a profile, which this switches on (profile=NAME), or with a label (label=KEY[=VALUE]).",
      {
        helpValue: "KEY=VALUE",
      },
    ),
    hash: Flags.string({ helpValue: "SERVICE|*", summary: "Only the hash that decides whether a container is replaced." }),
    explain: Flags.string({ helpValue: "PATH", summary: "Only where a value comes from, such as services.web.image." }),
    "no-interpolate": left("Leave variables as they are written."),
    "no-normalize": left("Leave out what goes without saying."),
    "no-path-resolution": left("Leave relative paths relative."),
    "no-consistency": left("Do not check what services say of each other."),
    "no-env-resolution": left("Name env files, and do not read them."),
    "resolve-image-digests": left("Pin images to their digests: those in the store, else those of the registry."),
    "lock-image-digests": left("Print an override file with only the pinned images."),
    output: Flags.string({ char: "o", helpValue: "FILE", summary: "File to write instead of standard output." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Config);
    await this.work(flags, (session) => config(session, configOptions(flags, args.service ?? [])));
  }
}
