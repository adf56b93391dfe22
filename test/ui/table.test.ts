import { suite } from "uvu";
import * as assert from "uvu/assert";
import { table } from "../../src/ui/table.ts";
import { width } from "../../src/ui/text.ts";

const COLUMNS = [
  { title: "NAME" },
  { title: "COMMAND", shrinkTo: 8, drop: 2 },
  { title: "PORTS", drop: 1 },
  { title: "SIZE", align: "right" as const },
];
const ROWS = [
  ["shop-web-1", '"/docker-entrypoint.sh nginx"', "0.0.0.0:8080->80/tcp", "12MB"],
  ["shop-日本-1", '"sleep"', "", "999kB"],
];

const it = suite("table");

it("columns align by what they hold, right where numbers stand, without trailing spaces", () => {
  assert.equal(table(COLUMNS, ROWS, { width: null }), [
    "NAME         COMMAND                        PORTS                  SIZE",
    'shop-web-1   "/docker-entrypoint.sh nginx"  0.0.0.0:8080->80/tcp   12MB',
    'shop-日本-1  "sleep"                                              999kB',
  ]);
});

it("a narrow terminal cuts what may be cut first and leaves out columns after", () => {
  for (let columns = 120; columns >= 20; columns--) {
    for (const line of table(COLUMNS, ROWS, { width: columns })) assert.ok(width(line) <= columns, `${columns}: ${line}`);
  }
  assert.match(table(COLUMNS, ROWS, { width: 60 })[1] ?? "", /^shop-web-1 {3}"\/docker.*… {2}0\.0\.0\.0:8080->80\/tcp {2}/);
  assert.is(table(COLUMNS, ROWS, { width: 20 })[0], "NAME          SIZE");
});

it("a cell from outside cannot break the table", () => {
  assert.equal(table([{ title: "A" }], [["x\n\x1b[2Jy"]], { width: null }), ["A", "x y"]);
});

it.run();
