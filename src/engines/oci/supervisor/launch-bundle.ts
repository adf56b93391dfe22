/** What dist/supervisor.cjs is made from: runs the supervisor's bundle, compiled as one of this world compiled it before (`run/code`). */
import { join } from "node:path";
import { runCached } from "../../../lib/code-cache.ts";

/** Put in by the build: the hash of supervisor-main.cjs. */
declare const WHARF_BUILD: string;

/** What it has compiled so long after its start, in milliseconds, is what the next one needs to start. */
const WARM_MS = 1000;

const [, , , run = "/"] = process.argv;
const key = { build: WHARF_BUILD, verb: "supervisor" };
const keep = runCached(join(__dirname, "supervisor-main.cjs"), { directory: join(run, "code"), key, load: require });
if (keep !== null) setTimeout(keep, WARM_MS).unref();
