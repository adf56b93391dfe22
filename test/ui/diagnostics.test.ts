import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Diagnostic } from "../../src/model/diagnostic.ts";
import { renderDiagnostic, renderDiagnostics } from "../../src/ui/diagnostics.ts";
import { styleOf } from "../../src/ui/style.ts";
import { golden } from "../support/golden.ts";

const FILE = [
  "services:",
  "  web:",
  "    image: nginx",
  "\tport: 80",
  "    restart: alwyas",
  `    名前: "\x1b[31m"`,
  `    cmd: ${"x".repeat(300)}`,
];
const options = { style: styleOf(false), lines: (file: string) => (file === "wharf.yaml" ? FILE : null) };

const it = suite("diagnostics");

it("a problem in a file shows its line with a caret below what is meant, and what to do", () => {
  const diagnostic: Diagnostic = {
    code: "E_INTERNAL",
    message: "`alwyas` is not a restart policy",
    hint: "did you mean `always`?",
    source: { file: "wharf.yaml", line: 5, column: 14, end: 20 },
  };
  golden("ui/diagnostic-frame.txt", `${renderDiagnostic(diagnostic, options)}\n`);
});

it("a tab before the problem does not move the caret, nor does a wide character", () => {
  const tab = renderDiagnostic({ code: "E_INTERNAL", message: "m", source: { file: "wharf.yaml", line: 4, column: 2, end: 6 } }, options);
  assert.match(tab, / 4 \| {2}port: 80\n {3}\| {2}\^{4}$/);
  const wide = renderDiagnostic({ code: "E_INTERNAL", message: "m", source: { file: "wharf.yaml", line: 6, column: 5, end: 7 } }, options);
  assert.match(wide, /\| {5}\^{4}$/);
});

it("places that belong to it are shown each with its word", () => {
  const diagnostic: Diagnostic = {
    code: "E_INTERNAL",
    message: "two spellings of one thing",
    source: { file: "wharf.yaml", line: 3, column: 5, end: 10 },
    related: [{ source: { file: "wharf.yaml", line: 4, column: 2, end: 6 }, message: "first given here" }],
  };
  golden("ui/diagnostic-related.txt", `${renderDiagnostic(diagnostic, options)}\n`);
});

it("a file that cannot be read still gives the place", () => {
  const text = renderDiagnostic({ code: "E_INTERNAL", message: "m", source: { file: "gone.yaml", line: 7, column: 3 } }, options);
  assert.is(text, "error[E_INTERNAL]: m\n  --> gone.yaml:7:3");
});

it("control characters from a file never reach the terminal", () => {
  const text = renderDiagnostic(
    { code: "E_INTERNAL", message: "evil \x1b[2J\nname", source: { file: "wharf.yaml", line: 6, column: 11, end: 12 } },
    options,
  );
  assert.not.match(text, /\x1b/);
  assert.match(text.split("\n")[0] ?? "", /evil {2}name$/);
});

it("a line that is too long is cut around the problem", () => {
  const text = renderDiagnostic(
    { code: "E_INTERNAL", message: "m", source: { file: "wharf.yaml", line: 7, column: 250, end: 252 } },
    options,
  );
  assert.ok(text.split("\n").every((line) => line.length < 110));
  assert.match(text, /\^\^$/);
});

it("problems come in the order of their places, at most twenty, and the rest is counted", () => {
  const many = Array.from(
    { length: 30 },
    (_, i): Diagnostic => ({ code: "E_INTERNAL", message: `m${i}`, source: { file: "f", line: 40 - i, column: 1 } }),
  );
  const text = renderDiagnostics(many, options);
  assert.match(text, /^error\[E_INTERNAL\]: m29\n/);
  assert.match(text, /… and 10 more problems$/);
});

it("with colour the code is marked, and without it no escape sequence is written", () => {
  const diagnostic: Diagnostic = { code: "E_INTERNAL", message: "m", hint: "h" };
  assert.match(renderDiagnostic(diagnostic, { ...options, style: styleOf(true) }), /\x1b\[31m/);
  assert.is(renderDiagnostic(diagnostic, options), "error[E_INTERNAL]: m\n  hint: h");
});

it.run();
