import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Report } from "../../src/model/diagnostic.ts";
import type { Json } from "../../src/model/json.ts";
import { parseDocuments } from "../../src/spec/document.ts";
import { sourceFile, sourceOf, toJson } from "../../src/spec/node.ts";
import { goFloat, resolvePlain } from "../../src/spec/scalar.ts";
import { line, loadFiles, onlyError } from "./support.ts";

const it = suite("YAML documents");

function read(text: string): { readonly values: readonly Json[]; readonly problems: readonly string[] } {
  const report = new Report();
  const nodes = parseDocuments(sourceFile("/x.yaml", "x.yaml", text), report);
  return { values: nodes.map(toJson), problems: report.items.map(line) };
}

it("plain scalars are read as Compose's parser reads them", () => {
  const cases: readonly (readonly [string, Json, string])[] = [
    ["yes", "yes", "yes"],
    ["no", "no", "no"],
    ["22:22", "22:22", "22:22"],
    ["0755", 493, "493"],
    ["0o17", 15, "15"],
    ["0x1F", 31, "31"],
    ["1_000", 1000, "1000"],
    ["089", 89, "89"],
    ["-3", -3, "-3"],
    ["1.10", 1.1, "1.1"],
    ["1e3", 1000, "1000"],
    ["~", null, ""],
    ["True", true, "true"],
    ["12345678901234567890", "12345678901234567890", "12345678901234567890"],
    ["1.2.3", "1.2.3", "1.2.3"],
    ["2024-01-01", "2024-01-01", "2024-01-01"],
  ];
  for (const [text, value, printed] of cases) assert.equal(resolvePlain(text), { value, text: printed }, text);
});

it("floating-point numbers print with exponents as Go prints them", () => {
  assert.equal([0.5, 1e6, 1.5e-5, 123456.5].map(goFloat), ["0.5", "1e+06", "1.5e-05", "123456.5"]);
});

it("quoted scalars and `!!str` stay text", () => {
  assert.equal(read(`a: "1"\nb: 'true'\nc: !!str 5\nd: !!int "5"\ne: |\n  1\n`).values, [{ a: "1", b: "true", c: "5", d: 5, e: "1\n" }]);
});

it("anchors, aliases and merge keys are resolved, own keys go over merged ones", () => {
  const { values } = read("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\none: {<<: *x, b: 9}\nboth: {<<: [*x, *y]}\nsame: *x\n");
  assert.equal(values, [{ x: { a: 1, b: 2 }, y: { b: 3, c: 4 }, one: { b: 9, a: 1 }, both: { a: 1, b: 2, c: 4 }, same: { a: 1, b: 2 } }]);
});

it("an anchor may be set again, and aliases take the nearest one above", () => {
  assert.equal(read("a: &x 1\nb: *x\nc: &x 2\nd: *x\n").values, [{ a: 1, b: 1, c: 2, d: 2 }]);
});

it("documents of one file come one by one, empty ones not at all", () => {
  assert.equal(read("a: 1\n---\n---\nb: 2\n").values, [{ a: 1 }, { b: 2 }]);
  assert.equal(read("# nothing\n"), { values: [], problems: [] });
});

it("a key that is given twice points at both", () => {
  assert.equal(read("a: 1\nb: 2\na: 3\n").problems, ["E_DUPLICATE_KEY 3:1-2 the key `a` is given twice"]);
});

it("aliases that lead nowhere, into themselves, or merge no mapping are refused", () => {
  assert.match(read("a: *x\n").problems.join(), /E_ALIAS 1:4-6 `\*x` refers to an anchor that is not defined/);
  assert.match(read("a: &x [*x]\n").problems.join(), /E_ALIAS 1:8-10 `\*x` refers to the value that it is a part of/);
  assert.match(read("s: &s text\na: {<<: *s}\n").problems.join(), /E_ALIAS 2:5-7 `<<` takes a mapping/);
});

it("a file that is no mapping is refused", () => {
  assert.match(read("- a\n").problems.join(), /E_YAML 1:1-4 the file is a list/);
  assert.match(read("hello\n").problems.join(), /the file is a single value/);
});

it("control characters stand in no file, at their place, and in texts as escapes", () => {
  for (const [character, shown] of [
    ["\u0000", "U+0000"],
    ["\u001b", "U+001B"],
    ["\u009f", "U+009F"],
  ] as const)
    assert.match(read(`a: 1\nb: x${character}y\n`).problems.join(), new RegExp(`^E_YAML 2:5-6 .*\\(${shown.replace("+", "\\+")}\\)`));
  assert.equal(read('a: "x\\e\\0\\x9fy"\nb: tab\there\n').values, [{ a: "x\u001b\u0000\u009fy", b: "tab\there" }]);
});

it("every syntax error has its place", () => {
  assert.match(read("a:\n\tb: 1\n").problems.join(), /E_YAML 2:1/);
  assert.match(read('a: "x\n').problems.join(), /E_YAML/);
});

it("places are lines and columns from 1 and end on their line", () => {
  const file = sourceFile("/x", "x", "a: 1\nbb: [\n  2]\n");
  assert.equal(sourceOf({ file, start: 5, end: 7 }), { file: "x", line: 2, column: 1, end: 3 });
  assert.equal(sourceOf({ file, start: 9, end: 15 }), { file: "x", line: 2, column: 5, end: 6 });
});

it("a key that is no text is refused at its place, in every form", async () => {
  assert.match(await onlyError("services: {web: {image: x, environment: {1: a}}}"), /^E_YAML 1:42-43 the key `1` is no text/);
  assert.match(await onlyError("services:\n  123:\n    image: x\n"), /^E_YAML 2:3-6 the key `123` is no text/);
  assert.match(await onlyError("services: {web: {image: x, labels: {true: a}}}"), /the key `true` is no text/);
  const { project } = await loadFiles('services: {web: {image: x, labels: {"1": a, nine: b, 1a: c}}}');
  assert.equal(project.services[0]?.labels, { "1": "a", "1a": "c", nine: "b" });
});

it.run();
