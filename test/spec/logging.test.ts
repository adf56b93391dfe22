import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadFiles, onlyError, serviceText, web } from "./support.ts";

const it = suite("logging of a spec");

it("drivers with Docker's own limits, and options over them", async () => {
  const logging = async (text: string) => (await web(`logging: ${text}`)).logging;
  assert.equal(await logging("{driver: json-file}"), { driver: "json-file", maxSize: null, maxFile: 1 });
  assert.equal(await logging("{options: {max-size: 10m, max-file: '3'}}"), { driver: "json-file", maxSize: 10 * 1024 * 1024, maxFile: 3 });
  assert.equal(await logging("{driver: local}"), { driver: "local", maxSize: 20 * 1024 * 1024, maxFile: 5 });
  assert.equal(await logging("{driver: none}"), { driver: "none", maxSize: null, maxFile: 1 });
  assert.is((await web("user: root")).logging, null);
});

it("what is no size or number is refused, what is not there yet is told of", async () => {
  assert.match(await onlyError(serviceText("logging: {options: {max-size: big}}")), /max-size` is `big`: it must be a size/);
  assert.match(await onlyError(serviceText("logging: {options: {max-file: 0}}")), /max-file` must be a number from 1/);
  const { warnings } = await loadFiles(serviceText("logging: {driver: syslog, options: {tag: x}}"));
  assert.match(warnings.map(({ message }) => message).join(), /logging\.driver: syslog` is not supported yet/);
});

it.run();
