/** The supervisor's entry: `ROOT RUN PROJECT KEEPER`. Started by its keeper, and that by a command, which does not wait for it, in a session of its own. */
import { existsSync, writeFileSync } from "node:fs";
import { openStore } from "../../../images/images.ts";
import { createContext } from "../context.ts";
import { openLayout } from "../layout.ts";
import { Journal } from "./journal.ts";
import { supervisorFiles } from "./launch.ts";
import { supervise, wordsOf } from "./supervisor.ts";

const [root = "", run = "", project = "", keeper = ""] = process.argv.slice(2);
if (root === "" || run === "" || project === "") throw new Error("usage: supervisor ROOT RUN PROJECT [KEEPER]");
const ending = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => ending.abort());
process.on("SIGHUP", () => {}); // the terminal that it was started from goes away

const layout = openLayout(root, run);
const journal = new Journal(supervisorFiles(layout, project).log);
for (const event of ["uncaughtException", "unhandledRejection"] as const) process.on(event, fail);
leaveControlGroup();
const store = openStore({ directory: layout.images, env: {}, insecureRegistries: [] });
supervise(createContext(layout, store), project, ending.signal)
  .then(() => store.close())
  .catch(fail);

/** Nothing is left half-done that the next supervisor would not mend: it ends, and its keeper or any command starts it again. */
function fail(error: unknown): void {
  journal.write(`ended by: ${wordsOf(error)}`);
  process.exit(1);
}

/**
 * Where systemd runs it ends everything in the control group of a session or a unit that is over, as it tells groups apart: by a hierarchy of its
 * own beside the others, or by the one that there is.
 */
function leaveControlGroup(): void {
  if (!existsSync("/run/systemd/system")) return;
  const own = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"].filter((group) => existsSync(group));
  for (const group of own.length > 0 ? own : ["/sys/fs/cgroup"]) {
    try {
      for (const pid of [String(process.pid), keeper]) if (pid !== "") writeFileSync(`${group}/cgroup.procs`, pid);
    } catch (error) {
      journal.write(`stays in the caller's control group: ${error instanceof Error ? error.message : error}`); // not everybody may
    }
  }
}
