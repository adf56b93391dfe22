/** Runs the test files given as arguments in this process, one after the other. */
import { resolve } from "node:path";
import { run } from "uvu/run";

await run(process.argv.slice(2).map((name) => ({ name, file: resolve(name) })));
