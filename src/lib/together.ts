import { slots } from "./slots.ts";

/**
 * Works on many things, at most `limit` at once, and begins them in their order. When one fails the others are called off and waited for: nothing
 * goes on in the background, and the first error is the one that is thrown.
 */
export async function together<T>(
  items: readonly T[],
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const slot = slots(limit);
  const problems: unknown[] = [];
  await Promise.all(
    items.map((item) =>
      slot(async () => {
        if (problems.length > 0) return;
        try {
          await work(item, both);
        } catch (error) {
          problems.push(error); // the others' end is then only a consequence
          stop.abort();
        }
      }),
    ),
  );
  if (problems.length > 0) throw problems[0];
}
