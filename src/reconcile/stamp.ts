import type { Emit, Stamped } from "../model/event.ts";

/** Numbers events and puts the time on them, once, where their stream begins: everything behind it sees the same. */
export function stamping(sink: (event: Stamped) => void, now: () => Date = () => new Date()): Emit {
  let seq = 0;
  return (event) => sink({ ...event, seq: ++seq, at: now().toISOString() });
}
