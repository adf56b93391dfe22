import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LineJoiner, parseRecord } from "../../../src/engines/oci/log-lines.ts";

const it = suite("log lines");

it("a record gives its time in UTC with nine digits, whatever the zone it was written in", () => {
  assert.equal(parseRecord("2026-11-24T03:25:09.5+02:00 stdout F hello"), {
    time: "2026-11-24T01:25:09.500000000Z",
    stream: "stdout",
    partial: false,
    text: "hello",
  });
  assert.is(parseRecord("2026-11-23T23:30:00.123456789-01:30 stderr F x")?.time, "2026-11-24T01:00:00.123456789Z");
  assert.is(parseRecord("2026-11-24T01:25:09Z stdout F x")?.time, "2026-11-24T01:25:09.000000000Z");
});

it("text keeps its spaces, its carriage returns and its emptiness", () => {
  assert.is(parseRecord("2026-11-24T01:25:09Z stdout F   two  spaces \r")?.text, "  two  spaces \r");
  assert.is(parseRecord("2026-11-24T01:25:09Z stdout F ")?.text, "");
  assert.is(parseRecord("2026-11-24T01:25:09Z stdout F")?.text, "");
});

it("a record cut short by a crash is no record", () => {
  for (const broken of ["", "2026-11-24T01:25", "2026-11-24T01:25:09Z stdout", "2026-11-24T01:25:09Z stdin F x", "garbage"])
    assert.is(parseRecord(broken), null, broken);
});

it("the pieces of a long line are put together, each stream for itself, with the time of the first piece", () => {
  const joiner = new LineJoiner();
  const add = (line: string): unknown => {
    const record = parseRecord(line);
    assert.ok(record);
    return record === null ? null : joiner.add(record);
  };
  assert.is(add("2026-11-24T01:00:01Z stdout P one "), null);
  assert.equal(add("2026-11-24T01:00:02Z stderr F between"), { time: "2026-11-24T01:00:02.000000000Z", stream: "stderr", text: "between" });
  assert.equal(add("2026-11-24T01:00:03Z stdout F two"), { time: "2026-11-24T01:00:01.000000000Z", stream: "stdout", text: "one two" });
});

it("what has no end yet is kept until it is asked for, once", () => {
  const joiner = new LineJoiner();
  joiner.add({ time: "t", stream: "stdout", partial: true, text: "prompt> " });
  assert.equal(joiner.rest(), [{ time: "t", stream: "stdout", text: "prompt> " }]);
  assert.equal(joiner.rest(), []);
});

it.run();
