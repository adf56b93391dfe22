import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { several, targetOf } from "../cli/flags.ts";
import { runOnce } from "../cli/one-off.ts";

export default class Run extends BaseCommand {
  static override readonly summary = "Run one container from a service, with a command of your choice.";
  static override readonly usage = "run [FLAGS] SERVICE [COMMAND] [ARG...]";
  static override readonly examples = ["<%= config.bin %> run --rm web sh", "<%= config.bin %> run --rm -e DEBUG=1 -p 8080:80 web"];
  static override readonly args = { service: ARG.optional("The service."), command: ARG.optional("The command instead of its own.") };
  static override readonly flags = {
    detach: Flags.boolean({ char: "d", summary: "Leave it running and print its name." }),
    rm: Flags.boolean({ summary: "Remove the container when it ended." }),
    env: several("Set a variable; without a value it is yours.", { char: "e", helpValue: "NAME=VALUE" }),
    volume: several("Mount a directory or a volume.", { char: "v", helpValue: "SOURCE:TARGET" }),
    publish: several("Publish a port.", { char: "p", helpValue: "HOST:CONTAINER" }),
    "service-ports": Flags.boolean({ summary: "Publish the service's own ports." }),
    "use-aliases": Flags.boolean({ summary: "Answer to the service's names on its networks." }),
    user: Flags.string({ char: "u", helpValue: "USER[:GROUP]", summary: "Who it runs as." }),
    workdir: Flags.string({ char: "w", helpValue: "DIR", summary: "Where it runs." }),
    entrypoint: Flags.string({ helpValue: "WORDS", summary: "Instead of the entrypoint." }),
    name: Flags.string({ helpValue: "NAME", summary: "The container's name." }),
    label: several("Give the container a label.", { char: "l", helpValue: "KEY=VALUE" }),
    "no-deps": Flags.boolean({ summary: "Leave the services alone that it depends on." }),
    "no-tty": Flags.boolean({ char: "T", summary: "Give it no terminal (it gets one when you have one)." }),
    interactive: Flags.boolean({ char: "i", default: true, allowNo: true, summary: "Pass your standard input on." }),
    tty: Flags.boolean({ char: "t", hidden: true }),
    pull: Flags.string({ helpValue: "always|missing|never|policy", summary: "When to fetch images." }),
    quiet: Flags.boolean({ char: "q", summary: "Show no progress." }),
    "quiet-pull": Flags.boolean({ summary: "Do not show how far pulls are." }),
    "remove-orphans": Flags.boolean({ hidden: true }),
  };

  async run(): Promise<void> {
    const { own, passed } = this.divided();
    const { flags } = await this.parse(Run, own);
    const { target: service, argv } = targetOf(passed, "wharf run SERVICE [COMMAND]");
    const { detach, env = [], publish = [], volume: volumes = [], label: labels = [], rm: remove, workdir: workingDir } = flags;
    const { user, entrypoint, name, pull, interactive } = flags;
    const given = { service, argv, detach, env, publish, user, entrypoint, name, pull, interactive, volumes, labels, remove, workingDir };
    const quiet = flags.quiet ? { ...flags, progress: "quiet" } : flags;
    await this.work(quiet, (session) =>
      runOnce(session, {
        ...given,
        servicePorts: flags["service-ports"],
        useAliases: flags["use-aliases"],
        dependencies: !flags["no-deps"],
        terminal: !flags["no-tty"],
        quietPull: flags["quiet-pull"],
      }),
    );
  }
}
