import { suite } from "uvu";
import * as assert from "uvu/assert";
import { choosePorts, type HolderOf } from "../../../../src/engines/oci/network/publish.ts";
import { collides } from "../../../../src/engines/oci/network/sockets.ts";
import { Failure } from "../../../../src/model/diagnostic.ts";
import type { Port } from "../../../../src/model/service.ts";

const it = suite("publishing ports");
const port = (published: Port["published"], host = "0.0.0.0"): Port => ({ target: 80, protocol: "tcp", host, published });
const free: HolderOf = () => null;
const taken =
  (number: number, host = "0.0.0.0"): HolderOf =>
  (wanted) =>
    collides(wanted, { protocol: "tcp", host, port: number }) ? () => "process 7 (nginx)" : null;

it("a fixed port is taken as it is", () => {
  assert.equal(choosePorts([port({ from: 8080, to: 8080 })], free), [{ target: 80, protocol: "tcp", host: "0.0.0.0", published: 8080 }]);
});

it("a fixed port that somebody has is refused, and the answer says who", () => {
  assert.throws(
    () => choosePorts([port({ from: 8080, to: 8080 })], taken(8080)),
    (error: unknown) => error instanceof Failure && error.has("E_PORT_TAKEN") && error.message.includes("process 7 (nginx)"),
  );
});

it("the any address collides with every address, two different addresses do not", () => {
  assert.throws(() => choosePorts([port({ from: 80, to: 80 }, "127.0.0.1")], taken(80)), /taken/);
  assert.throws(() => choosePorts([port({ from: 80, to: 80 })], taken(80, "127.0.0.1")), /taken/);
  assert.is(choosePorts([port({ from: 80, to: 80 }, "127.0.0.1")], taken(80, "127.0.0.2"))[0]?.published, 80);
});

it("a range gives its first free port, and each port of one container another one", () => {
  const chosen = choosePorts([port({ from: 9000, to: 9005 }), port({ from: 9000, to: 9005 })], taken(9000));
  assert.equal(
    chosen.map((c) => c.published),
    [9001, 9002],
  );
});

it("a port of the engine's choice lies where outgoing connections take theirs", () => {
  const [chosen] = choosePorts([port(null)], free);
  assert.ok(chosen !== undefined && chosen.published >= 32_768 && chosen.published <= 60_999);
});

it.run();
