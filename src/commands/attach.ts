import { Flags } from "@oclif/core";
import { attachTo } from "../cli/attach-to.ts";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { detachKeysFlag } from "../cli/flags.ts";

export default class Attach extends BaseCommand {
  static override readonly summary = "Connect your terminal to the program of a running container.";
  static override readonly usage = "attach [FLAGS] SERVICE";
  static override readonly examples = ["<%= config.bin %> attach web", "<%= config.bin %> attach --no-stdin --index 2 worker"];
  static override readonly args = { service: ARG.required("Service or container.") };
  static override readonly flags = {
    index: Flags.integer({ min: 1, summary: "Number of the service's container." }),
    "no-stdin": Flags.boolean({ summary: "Only look: pass no input on." }),
    "sig-proxy": Flags.boolean({ default: true, allowNo: true, summary: "Pass signals on, but to a program at a terminal." }),
    "detach-keys": detachKeysFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Attach);
    const { index, "no-stdin": noStdin, "sig-proxy": signals, "detach-keys": detachKeys } = flags;
    const choice = { target: args.service, index: index ?? null, stdin: !noStdin, signals, detachKeys };
    await this.work(flags, (session) => attachTo(session, choice));
  }
}
