import { EventEmitter } from "node:events";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Interrupts } from "../../src/cli/signals.ts";

class Source extends EventEmitter {
  readonly exits: number[] = [];

  exit(status: number): void {
    this.exits.push(status);
  }
}

const it = suite("signals");

it("the first signal asks to end, the second ends at once with the status of the first", () => {
  const source = new Source();
  const interrupts = new Interrupts(source);
  assert.is(interrupts.status, null);
  source.emit("SIGTERM");
  assert.is(interrupts.signal.aborted, true);
  assert.is(interrupts.status, 143);
  assert.equal(source.exits, []);
  source.emit("SIGINT");
  assert.equal(source.exits, [143]);
});

it("where the second signal has a meaning of its own the third ends at once", () => {
  const source = new Source();
  const interrupts = new Interrupts(source);
  let killed = 0;
  interrupts.onSecond(() => killed++);
  source.emit("SIGINT");
  source.emit("SIGINT");
  assert.is(killed, 1);
  assert.equal(source.exits, []);
  source.emit("SIGINT");
  assert.equal(source.exits, [130]);
});

it("nothing is left behind", () => {
  const source = new Source();
  new Interrupts(source).dispose();
  assert.is(source.listenerCount("SIGINT") + source.listenerCount("SIGTERM"), 0);
});

it.run();
