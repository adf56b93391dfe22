import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { inspectVolumes } from "../../cli/volumes.ts";

export default class VolumeInspect extends BaseCommand {
  static override readonly summary = "Show everything about volumes, in the form of Docker.";
  static override readonly usage = "volume inspect [FLAGS] NAME...";
  static override readonly examples = ["<%= config.bin %> volume inspect shop_data"];
  static override readonly args = { name: ARG.some("Volumes, by their full names.") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VolumeInspect);
    await this.work(flags, (session) => inspectVolumes(session, args.name));
  }
}
