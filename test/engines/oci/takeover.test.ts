import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ContainerRecord } from "../../../src/engines/oci/records.ts";
import { portsFrom } from "../../../src/engines/oci/takeover.ts";
import type { PublishedPort } from "../../../src/model/observed.ts";
import type { Port } from "../../../src/model/service.ts";

const it = suite("host ports that are kept");

it("two ports out of one range keep each its own, and what leads elsewhere now takes what is left", () => {
  const range = { from: 9000, to: 9005 };
  const both = [held(80, 9001), held(81, 9000)];
  assert.equal(from([port(80, range), port(81, range)], both), [80, 9001, 81, 9000]);
  assert.equal(from([port(82, range), port(81, range)], both), [82, 9001, 81, 9000]);
  assert.equal(from([port(80, null), port(80, null)], [held(80, 33_000), held(80, 33_001)]), [80, 33_000, 80, 33_001]);
});

it.run();

function from(ports: readonly Port[], inherited: readonly PublishedPort[]): readonly number[] {
  const record = { spec: { service: { ports } } } as unknown as ContainerRecord;
  return portsFrom(record, { inherited, holderOf: () => () => "somebody else" }).flatMap(({ target, published }) => [target, published]);
}

function port(target: number, published: Port["published"]): Port {
  return { target, protocol: "tcp", host: "127.0.0.1", published } as Port;
}

function held(target: number, published: number): PublishedPort {
  return { target, protocol: "tcp", host: "127.0.0.1", published };
}
