import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadFiles, onlyError, serviceText, web } from "./support.ts";

const it = suite("wharf's own settings in a spec");

const withTop = (text: string): string => `x-wharf: ${text}\n${serviceText("user: root")}`;

it("how many revisions are kept, from a variable too", async () => {
  const of = async (text: string, env = {}) => (await loadFiles(withTop(text), { env })).project.revisions;
  assert.is(await of("{revisions: 3}"), 3);
  assert.is(await of("{revisions: 0}"), 0);
  assert.is(await of('{revisions: "${KEEP}"}', { KEEP: "4" }), 4);
  assert.is(await of("{}"), undefined);
});

it("a number of revisions that makes no sense is refused with its place", async () => {
  for (const text of ["{revisions: -1}", "{revisions: 4000}"]) {
    const { refusals } = await loadFiles(withTop(text));
    assert.equal(
      refusals.map(({ code, source }) => [code, source?.line]),
      [["E_VALUE", 1]],
    );
  }
  assert.match(await onlyError(withTop("{revisions: many}")), /^E_VALUE 1:22/);
  assert.match(await onlyError(withTop("{revisions: 1.5}")), /^E_TYPE 1:22/);
});

it("whether work that is done runs again", async () => {
  assert.is((await web("x-wharf: {run: once}")).run, "once");
  assert.is((await web("x-wharf: {run: always}")).run, "always");
  assert.is((await web("user: root")).run, undefined);
  assert.match(await onlyError(serviceText("x-wharf: {run: twice}")), "`once` or `always`");
});

it("the part of an update that may fail", async () => {
  const of = async (ratio: string) => (await web(`deploy: {update_config: {max_failure_ratio: ${ratio}}}`)).update.maxFailureRatio;
  assert.is(await of("0.25"), 0.25);
  assert.is(await of("0"), undefined);
  const { refusals } = await loadFiles(serviceText("deploy: {update_config: {max_failure_ratio: 1.5}}"));
  assert.equal(
    refusals.map(({ code, source }) => [code, source?.line]),
    [["E_VALUE", 4]],
  );
});

it("rollback_config is read as update_config is; without it there is none, and from there no way leads back", async () => {
  const { rollback } = await web(
    "deploy: {rollback_config: {parallelism: 2, delay: 1s, monitor: 3s, order: start-first, failure_action: rollback}}",
  );
  assert.equal(rollback, { parallelism: 2, delayMs: 1000, monitorMs: 3000, order: "start-first", failureAction: "pause" });
  assert.is((await web("deploy: {update_config: {parallelism: 2}}")).rollback, null);
});

it.run();
