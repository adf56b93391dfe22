import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { stringify } from "yaml";
import { Report } from "../../src/model/diagnostic.ts";
import { parseWhole } from "../../src/spec/document.ts";
import { type Node, sourceFile } from "../../src/spec/node.ts";
import { readSimple } from "../../src/spec/simple-yaml.ts";

const it = suite("the quick reader of YAML");

/** What people write; the other reader must read it the same, places included. */
const READ: readonly string[] = [
  "a: 1\nb: [x, 'y', \"z\\n\"]\nc: {d: e, f: }\n",
  "# comment\n\na:   # behind\n  - b\n  -   c: 1\n      d: 2\n  - - e\n    - f\n",
  "a:\n- b\n- c\nd: e\n",
  "a: |\n  one\n    two\n\n  three\n\n\nb: >-\n  one\n  two\n\n  three\n   four\n  five\nc: |+\n  x\n\n",
  "x: &x {a: 1}\ny: *x\nz:\n  <<: *x\n  b: 2\nw:\n  <<: [*x, {c: 3}]\n",
  "a: !reset null\nb: !override [c]\nd: !reset\ne: !override\n  f: g\n",
  "a: [\n    b, # why\n    {c: d},\n  ]\n",
  "a: b#c\nd: 'it''s'\n\"e f\": g:h\n",
  "---\na: 1\n---\nb: 2\n",
  "a: ~\nb: yes\nc: 22:22\nd: 0x1f\ne: 1_000\nf: 1e3\n",
  "a:\nb:\n  c:\n",
];

/** What is left to the reader of all of YAML: rare things and mistakes. */
const LEFT: readonly string[] = [
  "a: one\n  two\n",
  "a: 'one\n  two'\n",
  "? a\n: b\n",
  "a: 1\na: 2\n",
  "a: b: c\n",
  "a: [b, c\n",
  "a: *nowhere\n",
  "\ta: 1\n",
  "a: @b\n",
  "%YAML 1.2\n---\na: 1\n",
  "a: &a\n  b: *a\n",
  "a: |2\n   x\n",
  "a:\r\n  b: 1\r\n",
  "a: !!str 1\n",
  " a: 1\nb: 2\n",
];

it("reads what people write as the other reader does", () => {
  for (const text of READ) {
    assert.ok(readSimple(file(text)) !== null, `given up on: ${text}`);
    same(text);
  }
});

it("gives up on everything else", () => {
  for (const text of LEFT) assert.is(readSimple(file(text)), null, text);
});

it("reads whatever is written by a program as the other reader does, or gives up", () => {
  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.oneof(
        fc.string({ unit: "grapheme-ascii" }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.stringMatching(/^[ \n#:'"a-]{0,8}$/),
      ),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.stringMatching(/^[a-z#:' -]{1,6}$/), tie("value"), { maxKeys: 3 }),
    ),
  }));
  void fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), values.value, { minKeys: 1, maxKeys: 3 }), (value) => {
      same(stringify(value, { lineWidth: 0 }));
    }),
    { numRuns: 300 },
  );
});

it.run();

function file(text: string) {
  return sourceFile("/p/a.yaml", "a.yaml", text);
}

function same(text: string): void {
  const quick = readSimple(file(text));
  if (quick === null) return;
  const report = new Report();
  const whole = parseWhole(file(text), report);
  assert.equal(report.items, [], text);
  assert.equal(
    quick.flatMap((node) => lines(node, "")),
    whole.flatMap((node) => lines(node, "")),
    text,
  );
}

/** A tree as lines: values with their places, sizes and tags. */
function lines(node: Node, path: string): readonly string[] {
  const end = node.kind === "scalar" && !node.text.includes("\n") ? `-${node.place.end}` : "";
  const value = node.kind === "scalar" ? JSON.stringify([node.value, node.text, node.plain ?? null]) : "";
  const own = `${path} ${node.kind} ${node.place.start}${end} ${node.size} ${node.directive} ${value}`;
  if (node.kind === "scalar") return [own];
  if (node.kind === "list") return [own, ...node.items.flatMap((item, index) => lines(item, `${path}[${index}]`))];
  const inner = Array.from(node.entries, ([key, entry]) => [
    `${path}.${key} ${entry.place.start}`,
    ...lines(entry.value, `${path}.${key}`),
  ]);
  return [own, ...inner.flat()];
}
