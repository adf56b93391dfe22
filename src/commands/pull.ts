import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { pullServices } from "../cli/transfers.ts";

export default class Pull extends BaseCommand {
  static override readonly summary = "Fetch the images of services.";
  static override readonly usage = "pull [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> pull", "<%= config.bin %> pull --include-deps web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    quiet: Flags.boolean({ char: "q", summary: "Show no progress." }),
    "include-deps": Flags.boolean({ summary: "The images of services that those named depend on too." }),
    "ignore-buildable": Flags.boolean({ summary: "Leave out what has `build`. What has nothing else is left out in any case." }),
    "ignore-pull-failures": Flags.boolean({ summary: "Go on, and end well, when an image cannot be fetched." }),
    policy: Flags.string({
      options: ["always", "missing"],
      default: "always",
      helpValue: "always|missing",
      summary: "Ask the registry each time, or only for what is not here.",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Pull);
    const policy = flags.policy === "missing" ? "missing" : "always";
    const choice = {
      quiet: flags.quiet,
      ignoreFailures: flags["ignore-pull-failures"],
      ignoreBuildable: flags["ignore-buildable"],
      dependencies: flags["include-deps"],
      policy,
    } as const;
    await this.work(flags, (session) => pullServices(session, args.service ?? [], choice));
  }
}
