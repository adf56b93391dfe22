import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseFlows, UDP } from "../../../../src/engines/oci/network/conntrack.ts";
import { isStale } from "../../../../src/engines/oci/network/datagram-flows.ts";

const it = suite("flows of datagrams");
const led = (address: string) => [{ published: 53, address, address6: null }];
const flow = (by: string, port = 53) => ({ protocol: UDP, to: { address: "192.0.2.1", port }, by: { address: by, port: 9 } });
const world = { before: led("10.0.0.2"), led: led("10.0.0.3"), isHere: (address: string) => address === "192.0.2.1" };

it("a flow to the container before goes, one to the container of now stays", () => {
  assert.ok(isStale(flow("10.0.0.2"), world));
  assert.not(isStale(flow("10.0.0.3"), world));
});

it("a flow to this machine from before the port was published goes, one that only passes by stays", () => {
  assert.ok(isStale(flow("192.0.2.1"), { ...world, before: [] }));
  assert.not(isStale({ ...flow("198.51.100.1"), to: { address: "198.51.100.1", port: 53 } }, world));
});

it("other ports and other protocols are nobody's business", () => {
  assert.not(isStale(flow("10.0.0.2", 54), world));
  assert.not(isStale({ ...flow("10.0.0.2"), protocol: 6 }, world));
});

it("what the kernel prints is read", () => {
  const attribute = (type: number, value: Buffer): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(4 + value.length, 0);
    head.writeUInt16LE(type, 2);
    return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
  };
  const tuple = (
    type: number,
    [source, target]: readonly [readonly number[], readonly number[]],
    ports: readonly [number, number],
  ): Buffer =>
    attribute(
      type | 0x8000,
      Buffer.concat([
        attribute(0x8001, Buffer.concat([attribute(1, Buffer.from(source)), attribute(2, Buffer.from(target))])),
        attribute(
          0x8002,
          Buffer.concat([
            attribute(1, Buffer.of(UDP)),
            attribute(2, Buffer.of(ports[0] >> 8, ports[0] & 255)),
            attribute(3, Buffer.of(ports[1] >> 8, ports[1] & 255)),
          ]),
        ),
      ]),
    );
  const body = Buffer.concat([
    tuple(
      1,
      [
        [192, 0, 2, 9],
        [192, 0, 2, 1],
      ],
      [40_000, 53],
    ),
    tuple(
      2,
      [
        [10, 0, 0, 2],
        [192, 0, 2, 9],
      ],
      [9, 40_000],
    ),
  ]);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(20 + body.length, 0);
  head.writeUInt16LE(0x0100, 4);
  const [first] = parseFlows(Buffer.concat([head, body])) ?? [];
  assert.equal(first?.to, { protocol: UDP, address: "192.0.2.1", port: 53 });
  assert.equal(first?.by, { protocol: UDP, address: "10.0.0.2", port: 9 });
  assert.is(first?.tuple.length, body.length / 2);
  const done = Buffer.alloc(20);
  done.writeUInt32LE(20, 0);
  done.writeUInt16LE(3, 4);
  assert.is(parseFlows(done), null);
});

it.run();
