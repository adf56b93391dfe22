import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { exportContainer } from "../cli/copy.ts";

export default class Export extends BaseCommand {
  static override readonly summary = "Write a container's own files, without its volumes, as one tar archive.";
  static override readonly usage = "export [FLAGS] SERVICE";
  static override readonly examples = ["<%= config.bin %> export -o web.tar web", "<%= config.bin %> export web | tar -t"];
  static override readonly args = { service: ARG.required("Service or container.") };
  static override readonly flags = {
    output: Flags.string({ char: "o", helpValue: "FILE", summary: "Write to a file instead of standard output." }),
    index: Flags.integer({ min: 1, summary: "Number of the service's container." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Export);
    const choice = { target: args.service, index: flags.index ?? null, output: flags.output };
    await this.work(flags, (session) => exportContainer(session, choice));
  }
}
