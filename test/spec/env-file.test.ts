import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseEnvFile, parseRawEnvFile } from "../../src/spec/env-file.ts";

const it = suite("files of variables");

function parse(text: string, outer: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const found = parseEnvFile(text, (name) => outer[name]);
  if ("problem" in found) throw new Error(found.problem);
  return Object.fromEntries(Array.from(found, ([name, { value }]) => [name, value]));
}

it("lines are NAME=value; blanks around the value, comments and empty lines mean nothing", () => {
  assert.equal(parse("# a comment\n\nA=1\n B = two words \r\nC=x # no\nD=x#y\nE=\n  # end"), {
    A: "1",
    B: "two words",
    C: "x",
    D: "x#y",
    E: "",
  });
});

it("`export` may stand before a name, and a colon in place of the equals sign", () => {
  assert.equal(parse("export A=1\nB: 2\nexported=3"), { A: "1", B: "2", exported: "3" });
});

it("single quotes keep everything, double quotes know escapes, both may span lines", () => {
  assert.equal(parse("A='$X \\n #'\nB=\"a\\tb\\\\ \\$X\"\nC='one\ntwo'\nD=\"\\101 \\0101\""), {
    A: "$X \\n #",
    B: "a\tb\\ $X",
    C: "one\ntwo",
    D: "\\101 A",
  });
});

it("values refer to variables above them, and the caller's go first", () => {
  assert.equal(parse('A=1\nB="$A-${C:-3}"\nD=${A}', { A: "outer" }), { A: "1", B: "outer-3", D: "outer" });
});

it("a name alone takes the caller's value, or is left out", () => {
  assert.equal(parse("A\nB\nC=1", { A: "x" }), { A: "x", C: "1" });
});

it("later lines win", () => {
  assert.equal(parse("A=1\nA=2"), { A: "2" });
});

it("what is no line of the kind is refused with its place", () => {
  const cases: readonly (readonly [string, RegExp, number])[] = [
    ["A B=1", /has a space/, 0],
    ["A=1\nB!=2", /`!` cannot stand/, 5],
    ["A='open", /quote is not closed/, 2],
    ["=1", /no name/, 0],
    ["A=${", /no closing brace/, 2],
  ];
  for (const [text, problem, start] of cases) {
    const found = parseEnvFile(text, () => undefined);
    assert.ok("problem" in found, text);
    if ("problem" in found) {
      assert.match(found.problem, problem);
      assert.is(found.start, start, text);
    }
  }
});

it("places name where each value stands", () => {
  const found = parseEnvFile("A=1\nB='two'", () => undefined);
  assert.equal("problem" in found ? null : found.get("B"), { value: "two", start: 6, end: 11 });
});

it("the raw format takes all after the first equals sign as it is", () => {
  const found = parseRawEnvFile("A='1' # x\n#B=2\nC=$D=\r\nE\n");
  assert.equal(
    Array.from(found, ([name, { value }]) => [name, value]),
    [
      ["A", "'1' # x"],
      ["C", "$D="],
    ],
  );
});

it("line ends of Windows are line ends, inside of quotes too", () => {
  const found = parseEnvFile('A=1\r\nB="x\r\ny"\r\n', () => undefined);
  assert.ok(!("problem" in found));
  assert.equal([found.get("A")?.value, found.get("B")?.value], ["1", "x\ny"]);
});

it.run();
