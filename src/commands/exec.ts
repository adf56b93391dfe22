import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { exec } from "../cli/exec.ts";
import { detachKeysFlag, several, targetOf } from "../cli/flags.ts";

export default class Exec extends BaseCommand {
  static override readonly summary = "Run a program in a running container.";
  static override readonly usage = "exec [FLAGS] SERVICE COMMAND [ARG...]";
  static override readonly examples = ["<%= config.bin %> exec web sh", "<%= config.bin %> exec -T db pg_dump shop > shop.sql"];
  static override readonly args = {
    service: ARG.optional("Service or container."),
    command: ARG.optional("The program and its arguments."),
  };
  static override readonly flags = {
    detach: Flags.boolean({ char: "d", summary: "Do not wait for it." }),
    env: several("Set a variable; without a value it is yours.", { char: "e", helpValue: "NAME=VALUE" }),
    user: Flags.string({ char: "u", helpValue: "USER[:GROUP]", summary: "Who it runs as." }),
    workdir: Flags.string({ char: "w", helpValue: "DIR", summary: "Where it runs." }),
    index: Flags.integer({ min: 1, summary: "Number of the service's container." }),
    "no-tty": Flags.boolean({ char: "T", aliases: ["no-TTY"], summary: "Give it no terminal (it gets one when you have one)." }),
    interactive: Flags.boolean({ char: "i", hidden: true }),
    tty: Flags.boolean({ char: "t", hidden: true }),
    privileged: Flags.boolean({ summary: "Give it all rights." }),
    "detach-keys": detachKeysFlag,
  };

  async run(): Promise<void> {
    const { own, passed } = this.divided();
    const { flags } = await this.parse(Exec, own);
    const { detach, env = [], user, workdir, index, privileged } = flags;
    const where = { user: user ?? null, workingDir: workdir ?? null, index: index ?? null };
    const choice = {
      ...targetOf(passed, "wharf exec SERVICE COMMAND"),
      ...where,
      detach,
      env,
      privileged,
      terminal: !flags["no-tty"],
      detachKeys: flags["detach-keys"],
    };
    await this.work(flags, (session) => exec(session, choice));
  }
}
