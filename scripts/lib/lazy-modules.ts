/**
 * Modules that are loaded when something in them is first used, and not when a file that imports them is. V8 then compiles, keeps in its cache
 * and runs only what a command comes to: of most bundles that is a small part. Node's own modules are loaded as late, for the same reason.
 *
 * esbuild on its own would lay all ES modules out flat: every function of every file is made at every start.
 */
import { readFile } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { type Loader, type Plugin, transform } from "esbuild";

/** Namespace of our modules: in the files' own, esbuild would go by package.json and take what is CommonJS now for ES modules still. */
const OURS = "wharf";
const HELPERS = "wharf:helpers";

/** Every ES module of `src/` as CommonJS. */
export function lazyModules({ root }: { readonly root: string }): Plugin {
  const sources = join(root, "src/");
  return {
    name: "lazy-modules",
    setup(build) {
      build.onResolve({ filter: /^\.{0,2}\/|^src\// }, ({ path, resolveDir }) => {
        const file = resolve(resolveDir, path);
        return file.startsWith(sources) && /\.[jt]s$/.test(file) ? { path: file, namespace: OURS } : null;
      });
      build.onResolve({ filter: new RegExp(`^${HELPERS}$`) }, () => ({ path: HELPERS, namespace: HELPERS }));
      build.onLoad({ filter: /.*/, namespace: HELPERS }, () => ({ contents: HELPER_CODE, loader: "js" }));
      build.onLoad({ filter: /.*/, namespace: OURS }, async ({ path }) => ({
        contents: await asLazyModule(await readFile(path, "utf8"), { sourcefile: path }),
        resolveDir: dirname(path),
        loader: "js",
      }));
    },
  };
}

/** An ES module as a CommonJS module whose imports are made when they are first used. */
async function asLazyModule(source: string, { sourcefile }: { readonly sourcefile: string }): Promise<string> {
  const { code } = await transform(source, {
    sourcefile,
    loader: LOADERS[extname(sourcefile)] ?? "js",
    format: "cjs",
    platform: "node",
    target: "node20.19",
    supported: { "dynamic-import": false },
    define: { "import.meta.url": "moduleUrl" },
  });
  const body = code.replace(HELPER, "");
  const helpers = ["__export", "__reExport", "__toCommonJS", "__toESM"].filter((name) => body.includes(`${name}(`));
  return `const { ${helpers.join(", ")} } = require("${HELPERS}");\n${lazily(body)}`;
}

const LOADERS: Readonly<Record<string, Loader>> = { ".ts": "ts", ".mts": "ts", ".cts": "ts" };

/** A function that esbuild puts at the head of a module; all modules share one of each. */
const HELPER = /^var __\w+ = (?:[^\n]*;\n|[^\n]*\n(?:[ \t][^\n]*\n)*[)}][^\n]*;\n)/gm;

const HELPER_CODE = `
exports.__export = (target, all) => {
  for (const name in all) Object.defineProperty(target, name, { get: all[name], enumerable: true });
};
exports.__reExport = (target, from) => {
  for (const name of Object.keys(from))
    if (name !== "default" && !Object.hasOwn(target, name)) Object.defineProperty(target, name, { get: () => from[name], enumerable: true });
};
exports.__toCommonJS = (module) => Object.defineProperty(module, "__esModule", { value: true });
exports.__toESM = (module) => (module.__esModule ? module : Object.create(module, { default: { value: module } }));
`;

const IMPORT = /^(?:const|var) (\w+_\d+|import_\w+) = ((?:__\w+\()?require\("[^"]+"\)\)?);$/gm;

/** A compiled module whose imports are calls: `const a_1 = require("./a")` and `a_1.b` become `const a_1 = () => require("./a")` and `(a_1()).b`. */
export function lazily(source: string): string {
  const names = [...source.matchAll(IMPORT)].map(([, name = ""]) => name);
  if (names.length === 0) return source;
  const uses = new RegExp(`\\b(${names.join("|")})\\b(?! = )`, "g");
  return source.replace(IMPORT, "const $1 = () => $2;").replace(uses, "($1())");
}
