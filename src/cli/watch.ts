import { Changes } from "../watch/changes.ts";
import { FileWatcher } from "../watch/files.ts";
import { keep } from "../watch/keep.ts";
import type { Session } from "./session.ts";
import { isAbort } from "./signals.ts";
import { Turns, type WatchOptions } from "./turns.ts";

/** Keeps what runs equal to the spec, each time that a file changes which it was read from, until interrupted. */
export async function watch(session: Session, options: WatchOptions): Promise<number> {
  await session.engine(); // where none can work there is nothing to wait for
  const changes = new Changes();
  const files = new FileWatcher(changes);
  const turns = new Turns(session, options);
  try {
    await keep(turns, { changes, follow: (paths) => files.follow(paths) }, session.signal);
  } catch (error) {
    if (!session.signal.aborted || !isAbort(error)) throw error;
  } finally {
    files.close();
    await turns.end();
  }
  return 0;
}
