import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readReport } from "../../scripts/lib/uvu-report.ts";

const FILES = ["test/a.test.ts", "test/b.test.ts"];

const it = suite("report of a process of tests");

it("totals are read, failures counted from them", () => {
  const output =
    "test/a.test.ts\n a  • ✘   (1 / 2)\n\ntest/b.test.ts\n b  •   (1 / 1)\n\n  Total:     3\n  Passed:    2\n  Skipped:   1\n  Duration:  2.00ms\n";
  assert.equal(readReport(output, FILES), { passed: 2, failed: 1, skipped: 1, empty: [] });
});

it("a file without a single test is named", () => {
  const output = "test/a.test.ts\n a  •   (1 / 1)\n\ntest/b.test.ts\n\n  Total:     1\n  Passed:    1\n  Skipped:   0\n";
  assert.equal(readReport(output, FILES)?.empty, ["test/b.test.ts"]);
});

it("a file whose tests are all skipped is not empty", () => {
  const output = "test/a.test.ts\n a   (0 / 0)\n\n  Total:     0\n  Passed:    0\n  Skipped:   4\n";
  assert.equal(readReport(output, ["test/a.test.ts"]), { passed: 0, failed: 0, skipped: 4, empty: [] });
});

it("an output without totals is no report: the process did not come to its end", () => {
  assert.is(readReport("test/a.test.ts\n a  • ", FILES), null);
});

it("totals that a test prints itself do not count", () => {
  const output = "test/a.test.ts\n  Total:     9\n a  •   (1 / 1)\n\n  Total:     1\n  Passed:    1\n  Skipped:   0\n";
  assert.is(readReport(output, ["test/a.test.ts"])?.failed, 0);
});

it.run();
