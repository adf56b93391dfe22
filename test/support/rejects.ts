import * as assert from "uvu/assert";

/** Fails unless the work fails with a message that has this text. */
export async function rejects(work: Promise<unknown>, message: string | RegExp): Promise<void> {
  const said = await work.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (said === null) throw new Error(`it should have failed: ${message}`);
  assert.match(said, message);
}
