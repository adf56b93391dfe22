import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { lazily, lazyModules } from "../../scripts/lib/lazy-modules.ts";

const it = suite("lazy modules");

it("an import is made when it is first used, and what is made of it stays the same", () => {
  const source = 'const a_1 = require("./a");\nclass B extends a_1.A {}\nexports.make = () => new a_1.A(a_1.x);\n';
  const lazy = 'class B extends (require("./a")).A {}\nexports.make = () => new (require("./a")).A((require("./a")).x);\n';
  assert.is(lazily(source), lazy);
});

it("of a bundle only what is used is run, when it is first used", async () => {
  const loaded: unknown = await bundled({
    "main.ts": `
      import { note, notes } from "./notes.ts";
      import { used } from "./used.ts";
      import { unused } from "./unused.ts";
      note("main");
      export const result = used();
      export const never = () => unused;
      export const order = [...notes];`,
    "notes.ts": "export const notes: string[] = [];\nexport function note(text: string): void { notes.push(text); }",
    "used.ts": 'import { note } from "./notes.ts";\nnote("used");\nexport const used = (): number => 42;',
    "unused.ts": 'import { note } from "./notes.ts";\nnote("unused");\nexport const unused = 1;',
  });
  assert.is(Reflect.get(Object(loaded), "result"), 42);
  assert.equal(Reflect.get(Object(loaded), "order"), ["main", "used"]);
});

it("every form of import and export means what it means in ES modules", async () => {
  const loaded: unknown = await bundled({
    "main.ts": `
      import path, { join as joined } from "node:path";
      import * as names from "./names.ts";
      import Thing, { type Kind } from "./thing.ts";
      import data from "./data.json" with { type: "json" };
      export { first as renamed } from "./names.ts";
      class Special extends Thing { override word(): string { return super.word() + "!"; } }
      const kind: Kind = "special";
      export const said = [new Special().word(), kind, names.first, joined("a", "b"), path.sep, data.version];
      export const later = async (): Promise<string> => { const { default: Late } = await import("./late.ts"); return new Late().word(); };`,
    "names.ts": 'export const first = "first";\nexport const second = "second";',
    "thing.ts": 'export type Kind = string;\nexport default class Thing { word(): string { return "thing"; } }',
    "late.ts": 'import Thing from "./thing.ts";\nexport default class Late extends Thing {}',
    "data.json": '{ "version": 7 }',
  });
  const given = new Map(Object.entries(Object(loaded)));
  assert.equal(given.get("said"), ["thing!", "special", "first", "a/b", "/", 7]);
  assert.is(given.get("renamed"), "first");
  assert.is(await Reflect.apply(Object(given.get("later")), null, []), "thing");
});

it.run();

/** What the bundle of `src/main.ts` exports. */
async function bundled(files: Readonly<Record<string, string>>): Promise<unknown> {
  const root = await mkdtemp(join(tmpdir(), "wharf-lazy-"));
  try {
    await mkdir(join(root, "src"));
    await writeFile(join(root, "package.json"), '{ "type": "module" }');
    for (const [name, text] of Object.entries(files)) await writeFile(join(root, "src", name), text);
    const outfile = join(root, "main.cjs");
    await build({
      absWorkingDir: root,
      entryPoints: ["src/main.ts"],
      outfile,
      bundle: true,
      format: "cjs",
      platform: "node",
      supported: { "dynamic-import": false },
      plugins: [lazyModules({ root })],
      logLevel: "error",
    });
    return createRequire(outfile)(outfile);
  } finally {
    await rm(root, { recursive: true });
  }
}
