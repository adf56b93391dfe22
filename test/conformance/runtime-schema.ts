/**
 * Holds the configurations that we write against the published JSON Schema of the OCI runtime specification, `oci-runtime-schema` below
 * `$WHARF_FIXTURES`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runtimeSpec } from "../../src/engines/oci/runtime-spec.ts";
import { EXAMPLES } from "../engines/oci/fixtures.ts";

const it = suite("runtime configurations and the published schema");
const directory = join(process.env["WHARF_FIXTURES"] ?? join(import.meta.dirname, "../../../shared/fixtures"), "oci-runtime-schema");

if (!existsSync(directory)) {
  console.log("skipped: oci-runtime-schema/*.json is not in $WHARF_FIXTURES (../shared/fixtures when unset)");
} else {
  const validate = compile();
  const published = (kind: "good" | "bad"): readonly string[] => {
    const folder = join(directory, "test", "config", kind);
    return readdirSync(folder).map((name) => join(folder, name));
  };

  for (const path of published("good"))
    it(`takes the published example ${path.slice(directory.length + 1)}`, () => assert.equal(validate(readFileSync(path, "utf8")), []));
  for (const path of published("bad"))
    it(`refuses the published example ${path.slice(directory.length + 1)}`, () =>
      assert.not.equal(validate(readFileSync(path, "utf8")), []));
  for (const [name, input] of Object.entries(EXAMPLES))
    it(`takes our configuration: ${name}`, () => assert.equal(validate(JSON.stringify(runtimeSpec(input))), []));
}

/** Gives what is wrong with a text, in words. The schemas are of draft 4: the parts of it that draft 7 spells otherwise are not used in them. */
function compile(): (text: string) => readonly string[] {
  const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false, logger: false });
  for (const name of readdirSync(directory).filter((file) => file.endsWith(".json"))) {
    const { $schema: _, ...schema }: Record<string, unknown> = JSON.parse(readFileSync(join(directory, name), "utf8"));
    ajv.addSchema({ ...schema, $id: `file:///${name}` });
  }
  return (text) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      if (error instanceof SyntaxError) return [error.message];
      throw error;
    }
    ajv.validate("file:///config-schema.json", value);
    return (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

it.run();
