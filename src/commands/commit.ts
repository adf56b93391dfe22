import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { commit } from "../cli/commit.ts";
import { several } from "../cli/flags.ts";

export default class Commit extends BaseCommand {
  static override readonly summary = "Make an image of a container, with what it changed in its files, and print its id.";
  static override readonly usage = "commit [FLAGS] SERVICE [IMAGE]";
  static override readonly examples = [
    "<%= config.bin %> commit web shop/web:tried",
    "<%= config.bin %> commit -m 'with tools' -c 'CMD [\"sh\"]' web shop/tools",
  ];
  static override readonly args = {
    service: ARG.required("Service or container."),
    image: ARG.optional("Name of the image; without it it has none."),
  };
  static override readonly flags = {
    author: Flags.string({ char: "a", default: "", helpValue: "NAME", summary: "Who made it." }),
    change: several(
      "Another setting, as a line of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR.",
      {
        char: "c",
        helpValue: "LINE",
      },
    ),
    message: Flags.string({ char: "m", default: "", helpValue: "TEXT", summary: "What is told of it in `image history`." }),
    pause: Flags.boolean({ char: "p", default: true, allowNo: true, summary: "Hold the container still meanwhile." }),
    index: Flags.integer({ min: 1, summary: "Number of the service's container." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Commit);
    const { author, change = [], message, pause, index } = flags;
    const choice = { target: args.service, image: args.image, author, changes: change, message, pause, index: index ?? null };
    await this.work(flags, (session) => commit(session, choice));
  }
}
