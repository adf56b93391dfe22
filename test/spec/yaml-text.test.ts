import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { Report } from "../../src/model/diagnostic.ts";
import type { Json } from "../../src/model/json.ts";
import { parseDocuments } from "../../src/spec/document.ts";
import { sourceFile, toJson } from "../../src/spec/node.ts";
import { yamlText } from "../../src/spec/yaml-text.ts";

const it = suite("YAML as Compose writes it");

it("quotes what would be read as something else, and nothing more", () => {
  const texts: readonly (readonly [string, string])[] = [
    ["plain", "plain"],
    ["", '""'],
    ["80", '"80"'],
    ["1.5", '"1.5"'],
    ["0x1f", '"0x1f"'],
    ["true", '"true"'],
    ["yes", '"yes"'],
    ["null", '"null"'],
    ["~", '"~"'],
    ["12:30", '"12:30"'],
    ["2001-12-14", '"2001-12-14"'],
    ["a: b", "'a: b'"],
    ["a #b", "'a #b'"],
    ["it's", "it's"],
    ["- a", "'- a'"],
    ["-a", "-a"],
    ["*a", "'*a'"],
    ["{a}", "'{a}'"],
    [" a", "' a'"],
    ["a\tb", '"a\\tb"'],
    ["a:b", "a:b"],
    ["http://x/", "http://x/"],
    ["\u001b", '"\\e"'],
  ];
  for (const [value, text] of texts) assert.is(yamlText({ k: value }), `k: ${text}\n`);
});

it("writes lists set in, texts of several lines as blocks, empty collections short", () => {
  const value = { a: [1, { b: 2, c: [3] }, [4, 5]], d: "x\ny\n", e: "x\ny", f: "x\n\n", g: {}, h: [], i: null, j: " x\ny" };
  const text =
    "a:\n  - 1\n  - b: 2\n    c:\n      - 3\n  - - 4\n    - 5\nd: |\n  x\n  y\ne: |-\n  x\n  y\nf: |+\n  x\n\ng: {}\nh: []\ni: null\nj: |2-\n   x\n  y\n";
  assert.is(yamlText(value), text);
});

it("what is written is read again as it was, by every reader", () => {
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.oneof(fc.string({ unit: "grapheme" }), fc.stringMatching(/^[ \n#:'"|>a-]{0,9}$/), fc.integer(), fc.boolean(), fc.constant(null)),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.stringMatching(/^[a-z#:' -]{1,6}$/), tie("value"), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));
  void fc.assert(
    fc.property(value, (given) => {
      const text = yamlText({ k: given });
      assert.equal(parse(text), { k: given }, text);
      const report = new Report();
      const [node] = parseDocuments(sourceFile("/a", "a", text), report);
      assert.equal([report.items, node && toJson(node)], [[], { k: given }], text);
    }),
    { numRuns: 500 },
  );
});

it.run();
