import { Flags } from "@oclif/core";
import { DEFAULT_ENGINES } from "./engines.ts";
import { COLOUR_KINDS, PROGRESS_KINDS } from "./settings.ts";

const helpGroup = "GLOBAL";

/** The flags that every command has. Their short forms stand before the verb, where `commandLine` reads them: after it they may mean another thing. */
export const GLOBAL = {
  file: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpGroup,
    helpValue: "FILE",
    summary: "(-f before the command) Spec file; may be repeated; - reads standard input.",
  }),
  "project-name": Flags.string({ helpGroup, helpValue: "NAME", summary: "(-p before the command) Name of the project." }),
  "project-directory": Flags.string({ helpGroup, helpValue: "DIR", summary: "Directory that relative paths of the spec start from." }),
  "env-file": Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpGroup,
    helpValue: "FILE",
    summary: "File of variables for the spec, instead of .env.",
  }),
  profile: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpGroup,
    helpValue: "NAME",
    summary: "Profile to switch on; may be repeated; * is all.",
  }),
  engine: Flags.string({ helpGroup, helpValue: DEFAULT_ENGINES.join("|"), summary: "What carries the containers." }),
  progress: Flags.string({ helpGroup, helpValue: PROGRESS_KINDS.join("|"), summary: "How progress is shown." }),
  color: Flags.string({ helpGroup, helpValue: COLOUR_KINDS.join("|"), summary: "Whether output is coloured." }),
  ansi: Flags.string({ hidden: true, helpGroup, helpValue: COLOUR_KINDS.join("|"), summary: "As --color; Compose calls it so." }),
  "dry-run": Flags.boolean({ helpGroup, summary: "Say what the command would do, and change nothing." }),
  "all-resources": Flags.boolean({ helpGroup, summary: "Networks and volumes too that no service uses." }),
  compatibility: Flags.boolean({ helpGroup, summary: "Call containers as Compose 1 did: project_service_1." }),
  parallel: Flags.integer({ hidden: true, helpGroup, helpValue: "COUNT", summary: "Without effect: wharf finds its own measure." }),
  verbose: Flags.boolean({ helpGroup, summary: "Show stack traces of errors." }),
  "insecure-registry": Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpGroup,
    helpValue: "HOST",
    summary: "Registry (HOST, HOST:PORT or a subnet) that may be spoken to over http; WHARF_INSECURE_REGISTRIES is such a list.",
  }),
} as const;
