import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { several } from "../../cli/flags.ts";
import { importImage } from "../../cli/images.ts";

export default class ImageImport extends BaseCommand {
  static override readonly summary = "Make an image from the tar of a root file system, and print its id.";
  static override readonly usage = "image import [FLAGS] TAR NAME";
  static override readonly examples = [
    "<%= config.bin %> image import rootfs.tar shop/web:1 --cmd 'httpd -f -p 3000' --expose 3000",
    "tar -C rootfs -c . | <%= config.bin %> image import - base --env PATH=/bin",
  ];
  static override readonly args = {
    tar: ARG.required("The tar, plain or gzip; - reads standard input."),
    name: ARG.required("Name of the image."),
  };
  static override readonly flags = {
    cmd: Flags.string({ helpValue: "WORDS|JSON", summary: "What it runs." }),
    entrypoint: Flags.string({ helpValue: "WORDS|JSON", summary: "What comes before that." }),
    env: several("A variable of its containers.", { char: "e", helpValue: "NAME=VALUE" }),
    expose: several("A port that it listens on.", { helpValue: "PORT[/udp]" }),
    workdir: Flags.string({ char: "w", helpValue: "DIR", summary: "Where it runs." }),
    user: Flags.string({ char: "u", helpValue: "USER[:GROUP]", summary: "Who it runs as." }),
    label: several("A label.", { char: "l", helpValue: "KEY=VALUE" }),
    platform: Flags.string({ helpValue: "OS/ARCH", summary: "What it runs on; this machine's unless given." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageImport);
    const { cmd, entrypoint, env = [], expose = [], workdir, user, label = [], platform } = flags;
    const options = { name: args.name, cmd, entrypoint, env, expose, workdir, user, label, platform };
    await this.work(flags, (session) => importImage(session, args.tar, options));
  }
}
