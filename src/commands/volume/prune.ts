import { Flags } from "@oclif/core";
import { BaseCommand } from "../../cli/base-command.ts";
import { several } from "../../cli/flags.ts";
import { pruneVolumes } from "../../cli/volumes.ts";

export default class VolumePrune extends BaseCommand {
  static override readonly summary = "Delete anonymous volumes that no container mounts, and with -a named ones too.";
  static override readonly usage = "volume prune [FLAGS]";
  static override readonly examples = [
    "<%= config.bin %> volume prune",
    "<%= config.bin %> volume prune -a --filter project=shop --dry-run",
  ];
  static override readonly flags = {
    all: Flags.boolean({ char: "a", summary: "Volumes with a name too." }),
    filter: several("Only volumes that fit: label, label!, project.", { helpValue: "KEY=VALUE" }),
    yes: Flags.boolean({ char: "y", summary: "Do not ask." }),
    force: Flags.boolean({ char: "f", summary: "Do not ask, as Docker spells it." }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(VolumePrune);
    const { all, filter: filters = [], yes, force } = flags;
    await this.work(flags, (session) => pruneVolumes(session, { all, filters, yes: yes || force, dryRun: flags["dry-run"] }));
  }
}
