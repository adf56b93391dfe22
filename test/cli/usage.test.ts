import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makePlace } from "./call.ts";

const it = suite("wrong command lines");

it("flags that exclude each other are named, in one line, with status 64", async () => {
  const place = await makePlace();
  try {
    const { status, stderr } = await place.call("up", "--watch", "-d");
    assert.is(status, 64);
    assert.match(stderr, /^error\[E_USAGE\]: --detach=true cannot also be provided when using --watch\n/);
  } finally {
    await place.dispose();
  }
});

it("a value that is none of its flag is named with the flag", async () => {
  const place = await makePlace();
  try {
    const { status, stderr } = await place.call("up", "--timeout", "soon");
    assert.is(status, 64);
    assert.match(stderr, /^error\[E_USAGE\]: Parsing --timeout: Expected an integer but received: soon\n/);
  } finally {
    await place.dispose();
  }
});

it.run();
