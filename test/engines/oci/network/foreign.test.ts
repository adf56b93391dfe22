import { suite } from "uvu";
import * as assert from "uvu/assert";
import { blockingChains, passage } from "../../../../src/engines/oci/network/blocking.ts";
import { missingRules, obsoleteRules } from "../../../../src/engines/oci/network/foreign.ts";

const it = suite("other firewalls");
const OPEN = "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n";
const DOCKER =
  "-P INPUT ACCEPT\n-P FORWARD DROP\n-N DOCKER-USER\n-A FORWARD -j DOCKER-USER\n-A DOCKER-USER -s 192.0.2.1/32 -j DROP\n-A DOCKER-USER -j RETURN\n";
const UFW = "-P INPUT DROP\n-P FORWARD DROP\n-A INPUT -j ufw-before-input\n-A FORWARD -j ufw-before-forward\n";

it("where nobody drops anything nothing is made", () => {
  assert.equal(missingRules(OPEN, ["wh1"]), []);
  assert.equal(missingRules("", ["wh1"]), []);
});

it("beside Docker bridges pass in the chain for its users, after what they drop", () => {
  assert.equal(missingRules(DOCKER, ["wh1"]), [
    "-I DOCKER-USER 2 -i wh1 -m comment --comment wharf -j ACCEPT",
    "-I DOCKER-USER 2 -o wh1 -m comment --comment wharf -j ACCEPT",
  ]);
});

it("where input is dropped names can be looked up", () => {
  const rules = missingRules(UFW, ["wh1"]);
  assert.ok(rules.includes("-I FORWARD 1 -i wh1 -m comment --comment wharf -j ACCEPT"));
  assert.ok(rules.includes("-I INPUT 1 -i wh1 -p udp -m udp --dport 53 -m comment --comment wharf -j ACCEPT"));
});

it("what is there is not made again, and what is ours is found again", () => {
  const made = missingRules(UFW, ["wh1"]).map((rule) => rule.replace(/^-I (\S+) \d+/, "-A $1"));
  const listing = `${UFW}${made.join("\n")}\n`;
  assert.equal(missingRules(listing, ["wh1"]), []);
  assert.equal(obsoleteRules(listing, ["wh2"]), []);
  assert.equal(
    obsoleteRules(listing, ["wh1"]),
    made.map((rule) => rule.replace("-A", "-D")),
  );
});

it("chains that drop by their policy are found with what lets containers through", () => {
  const listing = `table inet filter {
\tchain input {
\t\ttype filter hook input priority filter; policy drop;
\t}
\tchain forward {
\t\ttype filter hook forward priority filter; policy accept;
\t}
}
table ip filter {
\tchain FORWARD {
\t\ttype filter hook forward priority filter; policy drop;
\t}
}
`;
  const found = blockingChains(listing);
  assert.equal(found, [{ table: "inet filter", chain: "input", hook: "input" }]);
  assert.equal(found.flatMap(passage), [`nft insert rule inet filter input 'iifname "wh*" meta l4proto { tcp, udp } th dport 53 accept'`]);
});

it.run();
