import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { events } from "../cli/events.ts";

export default class Events extends BaseCommand {
  static override readonly summary = "Show what happens to containers, as it happens.";
  static override readonly usage = "events [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> events", "<%= config.bin %> events --json --since 1h --until 0s web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    json: Flags.boolean({ summary: "One JSON object a line." }),
    since: Flags.string({ helpValue: "TIME", summary: "Also what happened from this time or age on: 10m, 2026-01-02T03:04:05Z." }),
    until: Flags.string({ helpValue: "TIME", summary: "Only until this time or age, and end then." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Events);
    const { json, since, until } = flags;
    await this.work(flags, (session) => events(session, { services: args.service ?? [], json, since, until }));
  }
}
