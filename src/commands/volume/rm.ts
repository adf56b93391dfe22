import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { removeVolumes } from "../../cli/volumes.ts";

export default class VolumeRm extends BaseCommand {
  static override readonly summary = "Delete volumes that no container mounts: their data is lost.";
  static override readonly usage = "volume rm [FLAGS] NAME...";
  static override readonly examples = ["<%= config.bin %> volume rm shop_data"];
  static override readonly args = { name: ARG.some("Volumes, by their full names.") };
  static override readonly flags = {
    force: Flags.boolean({ char: "f", summary: "That one is not there is no error." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VolumeRm);
    await this.work(flags, (session) => removeVolumes(session, args.name, { force: flags.force }));
  }
}
