import { build } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { slimOclif } from "../../scripts/lib/slim-oclif.ts";
import { ROOT } from "../support/sources.ts";

const it = suite("bundled oclif");

it("every patch and every stub still finds what it replaces", async () => {
  const oclif = slimOclif();
  await bundle('import { Command } from "@oclif/core"; import "@oclif/core/help"; console.log(Command);', oclif);
  oclif.assertApplied();
});

it("nothing that is never used gets into the bundle", async () => {
  const code = await bundle('import { Args, Command, Flags } from "@oclif/core"; console.log(Args, Command, Flags);', slimOclif());
  for (const file of ["minimatch", "tinyglobby", "lilconfig", "wsl-utils", "semver"]) {
    assert.not.ok(
      code.inputs.some((path) => path.includes(`node_modules/${file}/`)),
      file,
    );
  }
});

it("what is not applied is an error that names it", () => {
  assert.throws(() => slimOclif().assertApplied(), /nothing in @oclif\/core to replace any more for: .*localeCompare.*minimatch/);
});

it.run();

async function bundle(contents: string, { plugin }: ReturnType<typeof slimOclif>): Promise<{ readonly inputs: readonly string[] }> {
  const { metafile } = await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    write: false,
    metafile: true,
    format: "cjs",
    platform: "node",
    supported: { "dynamic-import": false },
    plugins: [plugin],
  });
  return { inputs: Object.keys(metafile.inputs) };
}
