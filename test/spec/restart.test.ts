import { suite } from "uvu";
import * as assert from "uvu/assert";
import { NO_RESTART } from "../../src/model/service.ts";
import { onlyError, serviceText, web } from "./support.ts";

const it = suite("restart policies of a spec");

it("restart and deploy.restart_policy are one policy, and the second wins", async () => {
  assert.equal((await web("restart: on-failure:4")).restart, { ...NO_RESTART, name: "on-failure", limit: 4 });
  const text = "restart: always\ndeploy: {restart_policy: {condition: on-failure, delay: 2s, max_attempts: 3, window: 1m}}";
  assert.equal((await web(text)).restart, { name: "on-failure", limit: 3, delayMs: 2_000, windowMs: 60_000 });
  assert.equal((await web("deploy: {restart_policy: {max_attempts: 2}}")).restart, { ...NO_RESTART, name: "always", limit: 2 });
  assert.equal((await web("restart: always\ndeploy: {restart_policy: {condition: none}}")).restart, NO_RESTART);
});

it("a condition that is none is refused with those there are", async () => {
  const text = serviceText("deploy: {restart_policy: {condition: sometimes}}");
  assert.match(await onlyError(text), /restart_policy\.condition` is `sometimes`: it must be `any/);
});

it.run();
