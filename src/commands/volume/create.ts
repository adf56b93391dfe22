import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { several } from "../../cli/flags.ts";
import { createVolume } from "../../cli/volumes.ts";

export default class VolumeCreate extends BaseCommand {
  static override readonly summary = "Make a volume that belongs to no project: specs name it as external.";
  static override readonly usage = "volume create [FLAGS] [NAME]";
  static override readonly examples = ["<%= config.bin %> volume create backups", "<%= config.bin %> volume create --label team=a archive"];
  static override readonly args = { name: ARG.optional("Its name; a random one unless given.") };
  static override readonly flags = {
    label: several("A label.", { char: "l", helpValue: "KEY=VALUE" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VolumeCreate);
    const { label: labels = [] } = flags;
    await this.work(flags, (session) => createVolume(session, args.name, { labels }));
  }
}
