/**
 * Makes many requests for the same level-driven work share its runs. A request made while a run is under way waits for the next run, which
 * all requests made meanwhile share: whoever asked sees a run that began after it asked.
 */
export function coalesce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const start = (): Promise<void> => {
    running = work().finally(() => {
      running = null;
    });
    return running;
  };
  return () => {
    if (next !== null) return next;
    if (running === null) return start();
    const turn = running
      .catch(() => undefined)
      .then(() => {
        next = null;
        return start();
      });
    next = turn;
    return turn;
  };
}
