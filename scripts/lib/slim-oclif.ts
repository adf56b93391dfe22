/**
 * oclif without what a bundled command never uses: looking for plugins on disk, WSL, debug logs, the collator of ICU (`localeCompare`
 * loads it, for 8 ms and more, to sort ASCII names). Each of its files loads the others it names when it first uses them, and not before:
 * to run a command takes less than half of them.
 */
import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";
import { lazily } from "./lazy-modules.ts";

/** One replacement in one file of oclif. */
interface Patch {
  readonly file: RegExp;
  readonly find: string;
  readonly replace: string;
}

export interface SlimOclif {
  readonly plugin: Plugin;
  /** Throws when a patch or a stub found nothing to replace: oclif changed, and start-up would be slow without a word. */
  assertApplied(): void;
}

const PATCHES: readonly Patch[] = [
  { file: /oclif\/core\/lib\/config\/plugin\.js$/, find: "a.id.localeCompare(b.id)", replace: "(a.id < b.id ? -1 : 1)" },
  { file: /oclif\/core\/lib\/util\/os\.js$/, find: 'require("node:child_process")', replace: "{}" }, // asked for the shell on Windows
  // What writes looks after its reader (cli/output.ts); here the stream would be opened for commands that write nothing to it.
  { file: /oclif\/core\/lib\/command\.js$/, find: "process.stdout.on('error', ", replace: "void (" },
  // Its own name and version, which nobody asks for: they take its package.json.
  { file: /oclif\/core\/lib\/command\.js$/, find: "cache_1.default.getInstance().get('@oclif/core')", replace: "{}" },
  { file: /oclif\/core\/lib\/config\/config\.js$/, find: "await this.loadTheme()", replace: "undefined" }, // a file of colours that nobody has
];

const unused = (name: string): string =>
  `module.exports = new Proxy({}, { get(_, key) { return key === "__esModule" ? false : () => { throw new Error("${name} is left out of this bundle"); }; } });`;

const STUBS: Readonly<Record<string, string>> = {
  debug: "module.exports = () => () => {};",
  "wsl-utils": "exports.isWsl = false;",
  minimatch: unused("minimatch"),
  tinyglobby: unused("tinyglobby"),
  lilconfig: unused("lilconfig"),
  "get-package-type": unused("get-package-type"),
};

/** What our sources take from `@oclif/core`, each from the file that has it: its index would load everything and check versions. */
const INDEX = `module.exports = {
  get Command() { return require("@oclif/core/command").Command; },
  get Args() { return require("@oclif/core/args"); },
  get Errors() { return require("@oclif/core/errors"); },
  get Flags() { return require("@oclif/core/flags"); },
};`;

export function slimOclif(): SlimOclif {
  const applied = new Set<string>();
  const plugin: Plugin = {
    name: "slim-oclif",
    setup(build) {
      build.onResolve({ filter: /^@oclif\/core$/ }, ({ resolveDir }) => ({
        path: "index",
        namespace: "slim-oclif",
        pluginData: resolveDir,
      }));
      build.onLoad({ filter: /^index$/, namespace: "slim-oclif" }, ({ pluginData }) => ({
        contents: INDEX,
        loader: "js",
        resolveDir: pluginData,
      }));
      for (const [name, contents] of Object.entries(STUBS)) {
        const filter = new RegExp(`^${name}$`);
        build.onResolve({ filter }, ({ importer }) =>
          importer.includes("@oclif/core") ? { path: name, namespace: "slim-oclif-stub" } : null,
        );
        build.onLoad({ filter, namespace: "slim-oclif-stub" }, () => {
          applied.add(name);
          return { contents, loader: "js" };
        });
      }
      build.onLoad({ filter: /@oclif\/core\/lib\/.*\.js$/ }, async ({ path }) => {
        let contents = await readFile(path, "utf8");
        for (const { file, find, replace } of PATCHES) {
          if (!file.test(path) || !contents.includes(find)) continue;
          applied.add(find);
          contents = contents.replace(find, replace);
        }
        const lazy = lazily(contents);
        if (lazy !== contents) applied.add(LAZY);
        return { contents: lazy, loader: "js" };
      });
    },
  };
  return {
    plugin,
    assertApplied() {
      const missing = [LAZY, ...PATCHES.map(({ find }) => find), ...Object.keys(STUBS)].filter((name) => !applied.has(name));
      if (missing.length > 0) throw new Error(`nothing in @oclif/core to replace any more for: ${missing.join(", ")}`);
    },
  };
}

const LAZY = "its imports";
