import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { remove } from "../cli/operate.ts";

export default class Rm extends BaseCommand {
  static override readonly summary = "Remove containers, several at once; a running one only with -f.";
  static override readonly usage = "rm [FLAGS] [SERVICE...]";
  static override readonly examples = [
    "<%= config.bin %> rm web",
    "<%= config.bin %> rm -f shop-web-1 shop-db-1 other-app-1",
    "<%= config.bin %> rm -s -v",
  ];
  static override readonly args = { service: ARG.any("Services or containers; none means all that do not run.") };
  static override readonly flags = {
    force: Flags.boolean({ char: "f", summary: "Do not ask, and take running ones too." }),
    stop: Flags.boolean({ char: "s", summary: "Stop those that run first." }),
    volumes: Flags.boolean({ char: "v", summary: "Remove their anonymous volumes too." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Rm);
    const { force, stop, volumes } = flags;
    await this.work(flags, (session) => remove(session, { names: args.service ?? [], force, stop, volumes }));
  }
}
