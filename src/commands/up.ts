import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { ATTACH_FLAGS, attachChoice, SELECTION_FLAGS, savedPlanFlag, selection, WAIT_FLAGS } from "../cli/flags.ts";
import { upSaved } from "../cli/plan.ts";
import { up } from "../cli/up.ts";
import { patienceOf, waitWell } from "../cli/wait-well.ts";
import { watch } from "../cli/watch.ts";

export default class Up extends BaseCommand {
  static override readonly summary = "Make what runs equal to the spec: create, start and replace only what differs.";
  static override readonly usage = "up [FLAGS] [SERVICE...]";
  static override readonly examples = [
    "<%= config.bin %> up -d",
    "<%= config.bin %> up --watch",
    "<%= config.bin %> up -d --scale web=3",
    "<%= config.bin %> -f wharf.yaml -p shop up --pull always web",
  ];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    ...SELECTION_FLAGS,
    ...ATTACH_FLAGS,
    wait: Flags.boolean({
      ...WAIT_FLAGS.wait,
      exclusive: ["watch", "no-start", "plan", "abort-on-container-exit", "abort-on-container-failure", "exit-code-from"],
    }),
    "wait-timeout": WAIT_FLAGS["wait-timeout"],
    watch: Flags.boolean({
      char: "w",
      summary: "Stay, and follow each change of the spec and of the files that it reads.",
      exclusive: ["detach", "no-start", "abort-on-container-exit", "abort-on-container-failure", "exit-code-from"],
    }),
    menu: Flags.boolean({ hidden: true, summary: "Compose's menu of keys, which wharf does not have: without effect." }),
    "quiet-pull": Flags.boolean({ summary: "Do not show how far pulls are." }),
    plan: savedPlanFlag,
    yes: Flags.boolean({ char: "y", summary: "Say yes to every question." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Up);
    const choice = { ...selection(flags, args.service), assumeYes: flags.yes, quietPull: flags["quiet-pull"] };
    const attach = flags["no-start"] || flags.wait ? null : attachChoice(flags);
    const { plan: file } = flags;
    if (file !== undefined) return this.work(flags, (session) => upSaved(session, file, { ...choice, attach }));
    await this.work(flags, async (session) => {
      if (flags.watch) return watch(session, { ...choice, selection: choice, up: true, attach });
      const patience = patienceOf(flags);
      const status = await up(session, { ...choice, attach, patience });
      return status === 0 && flags.wait ? waitWell(session, choice, patience) : status;
    });
  }
}
