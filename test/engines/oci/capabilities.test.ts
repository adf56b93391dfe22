import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CAPABILITIES, capabilitiesIn, DEFAULT_CAPABILITIES, grantCapabilities } from "../../../src/engines/oci/capabilities.ts";
import { Failure } from "../../../src/model/diagnostic.ts";

const it = suite("capabilities");
const everything = new Set(CAPABILITIES);
const grant = (add: readonly string[], drop: readonly string[], held = everything): readonly string[] =>
  grantCapabilities({ add, drop, held }).granted;

it("a container has the fourteen of Docker unless its service says otherwise", () => {
  assert.equal(grant([], []), [...DEFAULT_CAPABILITIES]);
  assert.is(DEFAULT_CAPABILITIES.length, 14);
});

it("added ones come on top and dropped ones go", () => {
  assert.ok(grant(["NET_ADMIN"], []).includes("NET_ADMIN"));
  assert.not(grant([], ["CHOWN"]).includes("CHOWN"));
});

it("a name wins over ALL on the other side", () => {
  assert.equal(grant(["CHOWN"], ["ALL"]), ["CHOWN"]);
  assert.equal(grant([], ["ALL"]), []);
  assert.equal(
    grant(["ALL"], ["CHOWN"]),
    CAPABILITIES.filter((name) => name !== "CHOWN"),
  );
});

it("what the engine does not hold is left out, and named when it was asked for by name", () => {
  const held = new Set(CAPABILITIES.filter((name) => name !== "SYS_RESOURCE" && name !== "CHOWN"));
  assert.equal(grantCapabilities({ add: ["SYS_RESOURCE"], drop: [], held }).missing, ["SYS_RESOURCE"]);
  assert.equal(grantCapabilities({ add: ["ALL"], drop: [], held }), { granted: [...held], missing: [] });
  assert.not(grant([], [], held).includes("CHOWN"));
});

it("a name that is none is an error", () => {
  for (const name of ["CAP_CHOWN", "chown", "NOTHING"]) {
    try {
      grant([name], []);
      assert.unreachable(name);
    } catch (error) {
      assert.ok(error instanceof Failure && error.has("E_CAPABILITY_UNKNOWN") && error.message.includes(name));
    }
  }
});

it("a mask of the kernel is read bit by bit, whatever a newer kernel has above", () => {
  assert.equal([...capabilitiesIn("0000000000000001")], ["CHOWN"]);
  assert.equal(
    [...capabilitiesIn("000001fffeffffff")],
    CAPABILITIES.filter((name) => name !== "SYS_RESOURCE"),
  );
  assert.is(capabilitiesIn("ffffffffffffffff").size, CAPABILITIES.length);
});

it.run();
