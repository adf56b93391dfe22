import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  answers,
  encodeName,
  FORMAT_ERROR,
  NOT_IMPLEMENTED,
  parseQuery,
  type Query,
  refusal,
  reply,
  TYPE_A,
  TYPE_AAAA,
} from "../../../../src/engines/oci/supervisor/dns/message.ts";
import { queryBytes } from "./client.ts";

const it = suite("dns message");

it("a query is read: its name in lower case, the question as it was asked", () => {
  const query = read(queryBytes({ name: "Web.SHOP_default", type: TYPE_AAAA, id: 4711 }));
  assert.is(query.name, "web.shop_default");
  assert.is(query.type, TYPE_AAAA);
  assert.is(query.id, 4711);
  assert.match(query.question.toString("latin1"), /SHOP_default/);
  assert.is(query.datagram, 512);
});

it("what EDNS announces counts between 512 and 1232 bytes", () => {
  for (const [announced, used] of [
    [100, 512],
    [900, 900],
    [4096, 1232],
  ] as const)
    assert.is(read(queryBytes({ name: "a", edns: announced })).datagram, used);
});

it("a name with a dot inside of a label is nobody's here", () => {
  const message = queryBytes({ name: "ab.c" });
  message[12] = 4; // one label: `ab.c` with the length byte of the next as its dot
  message[15] = 0x2e;
  assert.is(read(message).name, null);
});

it("answers, status queries, several questions and compressed questions are no queries", () => {
  const plain = queryBytes({ name: "web" });
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const copy = Buffer.from(plain);
    change(copy);
    return copy;
  };
  assert.is(parseQuery(changed((bytes) => bytes.writeUInt16BE(0x8000, 2))), null);
  assert.is(parseQuery(changed((bytes) => bytes.writeUInt16BE(0x1000, 2))), NOT_IMPLEMENTED);
  assert.is(parseQuery(changed((bytes) => bytes.writeUInt16BE(2, 4))), FORMAT_ERROR);
  assert.is(parseQuery(changed((bytes) => bytes.writeUInt16BE(0xc00c, 12))), FORMAT_ERROR);
  assert.is(parseQuery(plain.subarray(0, 11)), null);
  assert.is(parseQuery(changed((bytes) => bytes.writeUInt16BE(500, 10))), FORMAT_ERROR);
});

it("an answer repeats the question and what the client wished", () => {
  const message = reply(read(queryBytes({ name: "WeB", edns: 1232, id: 9 })), {
    code: 0,
    ttl: 2,
    limit: 512,
    answers: [{ type: TYPE_A, data: Buffer.of(10, 0, 0, 2) }],
  });
  assert.is(message.readUInt16BE(0), 9);
  assert.is(message.readUInt16BE(2), 0x8580);
  assert.equal(
    [4, 6, 8, 10].map((at) => message.readUInt16BE(at)),
    [1, 1, 0, 1],
  );
  assert.match(message.toString("latin1"), /WeB/);
});

it("what does not fit is left out and said to be missing", () => {
  const query = read(queryBytes({ name: "many" }));
  const list = Array.from({ length: 100 }, (_, index) => ({ type: TYPE_A, data: Buffer.of(10, 0, 0, index) }));
  const short = reply(query, { code: 0, ttl: 2, limit: 512, answers: list });
  assert.ok(short.length <= 512);
  assert.is(short.readUInt16BE(2) & 0x0200, 0x0200);
  assert.is(short.readUInt16BE(6), 30);
  const whole = reply(query, { code: 0, ttl: 2, limit: 65_535, answers: list });
  assert.is(whole.readUInt16BE(2) & 0x0200, 0);
  assert.is(whole.readUInt16BE(6), 100);
});

it("an answer to another question is not believed", () => {
  const query = read(queryBytes({ name: "web", id: 5 }));
  const answer = reply(query, { code: 0, ttl: 2, limit: 512, answers: [] });
  assert.ok(answers(answer, query));
  assert.not.ok(answers(answer, { ...query, id: 6 }));
  assert.not.ok(answers(answer, read(queryBytes({ name: "wee", id: 5 }))));
  assert.ok(answers(answer, read(queryBytes({ name: "WEB", id: 5 }))));
});

it("names that the wire has no form for are refused", () => {
  assert.is(encodeName("a..b"), null);
  assert.is(encodeName("x".repeat(64)), null);
  assert.is(encodeName(Array.from({ length: 60 }, () => "abcd").join(".")), null);
});

it("no bytes make it throw, and every answer is within its limit", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    // Nearly right: a real query with some bytes changed and its end cut off.
    fc
      .tuple(
        fc.constant(queryBytes({ name: "web.shop_default", edns: 1232 })),
        fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 6 }),
        fc.nat(60),
      )
      .map(([message, changes, end]) => {
        const copy = Buffer.from(message);
        for (const [at, value] of changes) copy[at % copy.length] = value;
        return copy.subarray(0, end);
      }),
  );
  void fc.assert(
    fc.property(bytes, (raw) => {
      const message = Buffer.from(raw);
      const query = parseQuery(message);
      if (query === null) return true;
      if (typeof query === "number") return refusal(message, query).length === 12;
      const list = Array.from({ length: 50 }, () => ({ type: TYPE_A, data: Buffer.alloc(4) }));
      return reply(query, { code: 0, ttl: 1, limit: query.datagram, answers: list }).length <= query.datagram;
    }),
    { numRuns: 2000 },
  );
});

it.run();

function read(message: Buffer): Query {
  const query = parseQuery(message);
  if (query === null || typeof query === "number") throw new Error(`not read: ${query}`);
  return query;
}
