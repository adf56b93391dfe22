/** Milliseconds that only ever grow, to measure with. Not `performance.now()`: the first use of `performance` costs a short command a millisecond. */
export function stopwatch(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
