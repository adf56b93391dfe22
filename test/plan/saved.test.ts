/** Plans that are kept: what is read is what was written, in this form and no other. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/model/diagnostic.ts";
import { DEFAULTS, plan } from "../../src/plan/plan.ts";
import { factsOf, parseSavedPlan, SAVED_FORMAT, type SavedPlan, savedPlanText } from "../../src/plan/saved.ts";
import { project, ready, service } from "../support/build.ts";
import { golden } from "../support/golden.ts";
import { ROOT } from "../support/sources.ts";

const it = suite("saved plans");

const shop = project({ services: [service()] });
const world = ready(shop);
const kept: SavedPlan = {
  engine: "memory",
  madeAt: "2026-01-01T00:00:00Z",
  project: shop,
  plan: plan(shop, world, DEFAULTS),
  facts: factsOf(world),
};

it("what is read is what was written", () => {
  assert.equal(parseSavedPlan(savedPlanText(kept), "kept.plan"), JSON.parse(JSON.stringify(kept)));
});

it("one of another form, older or newer, is refused by its number, and one that was changed by its digest", () => {
  const text = savedPlanText(kept);
  for (const format of ["1.0", "99.0"]) {
    const other = text.replace(`"formatVersion":"${SAVED_FORMAT}"`, `"formatVersion":"${format}"`);
    refused(other, `kept.plan is a plan of format ${format}, and this wharf reads ${SAVED_FORMAT}`);
  }
  refused(text.replace("container.start", "container.pause"), "kept.plan was changed or cut off since it was written");
  refused("{}", "kept.plan is no plan");
});

it("the number of the form changes whenever the form does: a plan of an older one would be misread", () => {
  const name = "plan/saved-form.txt";
  const path = join(ROOT, "test", "golden", name);
  const [number = "", ...form] = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
  const now = formOf("SavedPlan");
  if (number === `format ${SAVED_FORMAT}`)
    assert.is(now, form.join("\n"), "the form of what is saved has changed: raise SAVED_FORMAT, then UPDATE_GOLDEN=1");
  golden(name, `format ${SAVED_FORMAT}\n${now}`);
});

it.run();

function refused(text: string, message: string): void {
  try {
    parseSavedPlan(text, "kept.plan");
  } catch (error) {
    assert.ok(error instanceof Failure && error.has("E_PLAN_FILE"));
    assert.is(error.message, message);
    return;
  }
  assert.unreachable(message);
}

/** A type and all that it is made of, as the sources declare them, without comments, by name. */
function formOf(root: string): string {
  const declared = declarations();
  const found = new Map<string, string>();
  for (const open = [root]; open.length > 0; ) {
    const name = open.pop() ?? "";
    const text = declared.get(name);
    if (text === undefined || found.has(name)) continue;
    found.set(name, text);
    open.push(...(text.match(/\b[A-Z]\w+/g) ?? []));
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, text]) => `${text}\n`)
    .join("");
}

function declarations(): ReadonlyMap<string, string> {
  const directory = join(ROOT, "src", "model");
  const files = [...readdirSync(directory).map((name) => join(directory, name)), join(ROOT, "src", "plan", "saved.ts")];
  return new Map(
    files.flatMap((file) => {
      const text = readFileSync(file, "utf8")
        .replaceAll(/\/\*[\s\S]*?\*\//g, "")
        .replaceAll(/ ?\/\/.*$/gm, "");
      // A declaration ends where the next line begins at the margin again.
      return [...text.matchAll(/^(?:export )?(?:interface|type) (\w+)[\s\S]*?(?=^\S(?<![}|)])|(?![\s\S]))/gm)].map(
        ([whole, name = ""]) => [name, whole.trim().replaceAll(/\s+/g, " ")] as const,
      );
    }),
  );
}
