import { suite } from "uvu";
import * as assert from "uvu/assert";
import { attributesOf } from "../../src/plan/change.ts";
import { errorsOf, serviceText, web } from "./support.ts";

const it = suite("name servers of services");

it("nothing said is nothing in a container's hash", async () => {
  assert.equal(Object.keys(attributesOf(await web("dns: []"))), ["image"]);
});

it("servers, domains and options are read, one or several", async () => {
  const { dns, dnsSearch, dnsOptions } = await web("dns: 9.9.9.9\ndns_search: [corp.example, .]\ndns_opt: [ndots:2]");
  assert.equal([dns, dnsSearch, dnsOptions], [["9.9.9.9"], ["corp.example", "."], ["ndots:2"]]);
  assert.equal((await web("dns: [9.9.9.9, '2620:fe::fe']")).dns, ["9.9.9.9", "2620:fe::fe"]);
});

it("what would break the file that they go into is refused at its place", async () => {
  for (const [attributes, message] of [
    ["dns: quad9", /`services\.web\.dns\[0\]` is `quad9`: it is not an IP address/],
    ['dns_search: ["a b"]', /`services\.web\.dns_search\[0\]` is `a b`: it is not a domain/],
    ['dns_opt: ["ndots:2\\nnameserver 192.0.2.1"]', /it is not an option of a resolver/],
  ] as const) {
    const errors = await errorsOf(serviceText(attributes));
    assert.is(errors.length, 1, attributes);
    assert.match(errors[0]?.message ?? "", message);
  }
});

it.run();
