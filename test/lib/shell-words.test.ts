import { suite } from "uvu";
import * as assert from "uvu/assert";
import { shellWord, splitWords } from "../../src/lib/shell-words.ts";

const it = suite("shell words");

it("words are split at blanks, and quotes hold them together", () => {
  for (const [text, words] of [
    ["", []],
    ["  a  b\tc ", ["a", "b", "c"]],
    [`sh -c "echo 'hi there'"`, ["sh", "-c", "echo 'hi there'"]],
    [`a'b c'd`, ["ab cd"]],
    [`''`, [""]],
    [`a\\ b \\"c\\"`, ["a b", '"c"']],
    [`"a\\"b\\n"`, ['a"b\\n']],
    [`'a\\'`, ["a\\"]],
  ] as const)
    assert.equal(splitWords(text), words, text);
});

it("an open quote and a backslash at the end are no words", () => {
  for (const text of ["'a", '"a', "a\\"]) assert.is(splitWords(text), null, text);
});

it("a word that is written for a shell is read as itself", () => {
  for (const word of ["plain", "a b", "it's", "$HOME", "", 'a"b', "100%"]) assert.equal(splitWords(shellWord(word)), [word]);
});

it.run();
