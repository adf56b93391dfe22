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
/** Namespace of Node's modules, each behind a module of the bundle: that remembers it, where Node's `require` would look it up at every use. */
const BUILTIN = "wharf:node";

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
      build.onResolve({ filter: /^node:/ }, ({ path, kind, namespace }) => {
        if (namespace === BUILTIN) return { path, external: true };
        return kind === "require-call" ? { path, namespace: BUILTIN } : null;
      });
      build.onLoad({ filter: /.*/, namespace: BUILTIN }, ({ path }) => ({
        contents: `module.exports = require("${path}");`,
        loader: "js",
      }));
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
  if (body.includes("__reExport(")) throw new Error(`${sourcefile}: a bundle cannot have \`export * from\`: name what is exported`);
  const toEsm = body.includes("__toESM(") ? TO_ESM : "";
  return toEsm + lazily(withPlainExports(body));
}

const LOADERS: Readonly<Record<string, Loader>> = { ".ts": "ts", ".mts": "ts", ".cts": "ts" };

/** A function that esbuild puts at the head of a module. */
const HELPER = /^var __\w+ = (?:[^\n]*;\n|[^\n]*\n(?:[ \t][^\n]*\n)*[)}][^\n]*;\n)/gm;

/** The one of them that is left, in short. */
const TO_ESM = "const __toESM = (module) => (module.__esModule ? module : Object.create(module, { default: { value: module } }));\n";

const EXPORTS = /^var (\w+) = \{\};\n(?:__export\(\1, \{\n((?: .*\n)*)\}\);\n)?module\.exports = __toCommonJS\(\1\);\n/m;

const EXPORT = /^ {2}("[^"]+"|[\w$]+): \(\) => (.+?),?$/gm;

/**
 * What a module exports as the properties of one object: esbuild makes a function for each of them. A constant is there once it has its value;
 * what is neither that nor a function declaration is asked for by a getter.
 */
function withPlainExports(code: string): string {
  const found = EXPORTS.exec(code);
  if (found === null) return code; // it exports nothing
  let body = code;
  const [head = "", name = "", list = ""] = found;
  const entries = [...list.matchAll(EXPORT)].map(([, key = "", local = ""]) => {
    if (new RegExp(`^(?:async )?function\\*? ${escaped(local)}\\(`, "m").test(code)) return `${key}: ${local}`;
    const constant = new RegExp(`^const ${escaped(local)} = `, "m");
    if (!/^[\w$]+$/.test(local) || !constant.test(code)) return `get ${key}() { return ${local}; }`;
    body = body.replace(constant, (begun) => `${begun}${name}[${JSON.stringify(key.replaceAll('"', ""))}] = `);
    return `${key}: void 0`;
  });
  return body.replace(head, `const ${name} = (module.exports = { ${["__esModule: true", ...entries].join(", ")} });\n`);
}

const escaped = (name: string): string => name.replaceAll("$", "\\$");

const IMPORT = /^(?:const|var) (\w+_\d+|import_\w+) = ((?:__\w+\()?require\("[^"]+"\)\)?);\n/gm;

/** A compiled module whose imports stand where they are used: `const a_1 = require("./a")` goes, and `a_1.b` becomes `(require("./a")).b`. */
export function lazily(source: string): string {
  const imports = new Map([...source.matchAll(IMPORT)].map(([, name = "", value = ""]) => [name, value]));
  if (imports.size === 0) return source;
  const uses = new RegExp(`\\b(${[...imports.keys()].join("|")})\\b`, "g");
  return source.replace(IMPORT, "").replace(uses, (name) => `(${imports.get(name)})`);
}
