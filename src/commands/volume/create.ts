import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { several } from "../../cli/flags.ts";
import { createVolume } from "../../cli/volumes.ts";

export default class VolumeCreate extends BaseCommand {
  static override readonly summary = "Make a volume that belongs to no project: specs name it as external.";
  static override readonly usage = "volume create [FLAGS] [NAME]";
  static override readonly examples = [
    "<%= config.bin %> volume create backups",
    "<%= config.bin %> volume create --label team=a archive",
    "<%= config.bin %> volume create -o type=nfs -o o=addr=10.0.0.2 -o device=:/srv media",
  ];
  static override readonly args = { name: ARG.optional("Its name; a random one unless given.") };
  static override readonly flags = {
    driver: Flags.string({ char: "d", default: "local", helpValue: "local", summary: "The only driver there is." }),
    opt: several("What it is mounted from: type, o, device.", { char: "o", helpValue: "KEY=VALUE" }),
    label: several("A label.", { char: "l", helpValue: "KEY=VALUE" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VolumeCreate);
    const { driver, label: labels = [], opt: driverOptions = [] } = flags;
    await this.work(flags, (session) => createVolume(session, args.name, { driver, labels, driverOptions }));
  }
}
