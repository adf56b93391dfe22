/**
 * Parts of Node that are loaded when they are first used and not when a file that imports them is: each takes a millisecond or more, and most
 * commands need few of them.
 */
import { createRequire } from "node:module";
import type { Plugin } from "esbuild";

const LAZY = ["child_process", "http", "https", "net", "readline", "readline/promises", "worker_threads", "zlib"];

const NAMESPACE = "lazy-builtin";

export function lazyBuiltins(): Plugin {
  const require = createRequire(import.meta.url);
  return {
    name: "lazy-builtins",
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(node:)?(${LAZY.join("|")})$`) }, ({ path, namespace }) => {
        const name = path.startsWith("node:") ? path : `node:${path}`;
        return namespace === NAMESPACE ? { path: name, external: true } : { path: name, namespace: NAMESPACE };
      });
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        loader: "js",
        contents: `for (const key of ${JSON.stringify(Object.keys(require(path)))})
          Object.defineProperty(exports, key, { enumerable: true, get: () => require(${JSON.stringify(path)})[key] });`,
      }));
    },
  };
}
