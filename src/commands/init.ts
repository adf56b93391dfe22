import { Flags } from "@oclif/core";
import { BaseCommand } from "../cli/base-command.ts";
import { init } from "../cli/init.ts";

export default class Init extends BaseCommand {
  static override readonly summary = "Write a spec to begin with, or one from a `docker run` line.";
  static override readonly usage = "init [FLAGS] [-- docker run ...]";
  static override readonly examples = [
    "<%= config.bin %> init",
    "<%= config.bin %> init -- docker run -d -p 8080:80 -v data:/data nginx",
    "<%= config.bin %> init -o - --from='docker run --rm -it alpine sh'",
  ];
  static override readonly flags = {
    from: Flags.string({ helpValue: "LINE", summary: "The `docker run` line as one text." }),
    output: Flags.string({ char: "o", default: "wharf.yaml", helpValue: "FILE", summary: "The file to write; - is standard output." }),
    force: Flags.boolean({ summary: "Write over what is there." }),
  };

  async run(): Promise<void> {
    const { own, passed } = this.divided();
    const { flags } = await this.parse(Init, own);
    const { from, output, force } = flags;
    await this.work(flags, (session) => init(session, { words: passed, from, output, force }));
  }
}
