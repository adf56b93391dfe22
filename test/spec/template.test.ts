import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { substitute, TemplateError } from "../../src/spec/template.ts";

const it = suite("interpolation");

const VALUES: Readonly<Record<string, string>> = { FOO: "first", EMPTY: "", Mixed_1: "m" };

function fill(text: string): { readonly value: string; readonly unset: readonly string[] } {
  const unset: string[] = [];
  const value = substitute(text, { lookup: (name) => VALUES[name], unset: (name, start, end) => unset.push(`${name} ${start}-${end}`) });
  return { value, unset };
}

it("a variable is filled in with and without braces", () => {
  assert.is(fill("a $FOO b ${FOO}c $Mixed_1.").value, "a first b firstc m.");
});

it("a text without a dollar sign stays as it is", () => {
  assert.is(fill("a {b} c").value, "a {b} c");
});

it("two dollar signs are one", () => {
  assert.is(fill("$$FOO $${FOO} $$$FOO").value, "$FOO ${FOO} $first");
});

it("defaults stand in for unset, and with a colon for empty variables", () => {
  assert.is(fill("${NO-a} ${NO:-b} ${EMPTY-c} ${EMPTY:-d} ${FOO:-e}").value, "a b  d first");
});

it("alternatives stand in for set, and with a colon for filled variables", () => {
  assert.is(fill("${NO+a}|${EMPTY+b}|${EMPTY:+c}|${FOO:+d}").value, "|b||d");
});

it("defaults nest to any sensible depth and may hold braces", () => {
  assert.is(fill("${NO:-${NOPE:-$FOO}}").value, "first");
  assert.is(fill('${NO:-{"a":{"b":1}}}').value, '{"a":{"b":1}}');
  assert.is(fill("${NO:-{}}").value, "{}");
  const deep = 60;
  assert.throws(() => fill(`${"${NO:-".repeat(deep)}${"}".repeat(deep)}`), /deeper than/);
});

it("a variable without a value and a default is empty and told of, with its place", () => {
  assert.equal(fill("a $NO ${NOPE}"), { value: "a  ", unset: ["NO 2-5", "NOPE 6-13"] });
});

it("a branch that is not taken is not looked at", () => {
  assert.equal(fill("${FOO:-${NO:?never}} ${NO:+${NOPE}}"), { value: "first ", unset: [] });
});

it("a required variable that is missing fails with its message, which may have variables", () => {
  assert.throws(
    () => fill("x ${NO:?set it to $FOO}"),
    (error: unknown) =>
      error instanceof TemplateError &&
      error.code === "E_REQUIRED_VARIABLE" &&
      error.message === "the variable `NO` is required: set it to first" &&
      error.start === 2,
  );
  assert.throws(() => fill("${EMPTY:?}"), /`EMPTY` is required$/);
  assert.is(fill("${EMPTY?no}").value, "");
});

it("what is no template is refused with its place", () => {
  for (const text of ["${", "${}", "${ }", "${ FOO}", "${FOO }", "${FOO!}", "${1A}", "${FOO:}", "${FOO:=x}"])
    assert.throws(
      () => fill(text),
      (error: unknown) => error instanceof TemplateError && error.code === "E_INTERPOLATION",
      text,
    );
});

it("a dollar sign that begins no variable is meant as it is", () => {
  for (const text of ["$", "a $5", "$}", "^a$|b$", "awk '{print $1}'", "$-x", "$.b"]) assert.is(fill(text).value, text);
  assert.is(fill("$1 $FOO$").value, `$1 ${fill("$FOO").value}$`);
  assert.is(fill("${NO:-$1}").value, "$1");
});

it("doubling every dollar sign makes any text survive", () => {
  fc.assert(fc.property(fc.string(), (text) => fill(text.replaceAll("$", "$$$$")).value === text));
});

it("no text makes it fail otherwise than by its own error", () => {
  const parts = fc.constantFrom("$", "{", "}", ":", "-", "+", "?", "FOO", "NO", " ", "x");
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 40 }), (pieces) => {
      try {
        fill(pieces.join(""));
      } catch (error) {
        assert.instance(error, TemplateError);
      }
    }),
  );
});

it.run();
