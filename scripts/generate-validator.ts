/**
 * Compiles `schemas/spec.schema.json` into `src/spec/generated/validate-spec.js`, so that nothing of ajv loads at run time.
 * Writes only what changed.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Ajv as AjvClass, Options } from "ajv";

// ajv is CommonJS whose exports TypeScript and Node name differently; `require` gives both the same view.
const require = createRequire(import.meta.url);
const { Ajv } = require("ajv") as { readonly Ajv: new (options: Options) => AjvClass };
const standalone = require("ajv/dist/standalone") as { default(ajv: AjvClass, names: Readonly<Record<string, string>>): string };

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const target = join(root, "src/spec/generated");

const TYPES = `/** One thing that the schema does not allow. */
export interface SchemaError {
  /** JSON pointer to the value. */
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The schema that the keyword stands in. */
  readonly parentSchema: Readonly<Record<string, unknown>>;
}

export interface Validate {
  (value: unknown): boolean;
  errors: readonly SchemaError[] | null;
}

export const validateSpec: Validate;
`;

generate();

function generate(): void {
  const schema: unknown = JSON.parse(readFileSync(join(root, "schemas/spec.schema.json"), "utf8"));
  if (typeof schema !== "object" || schema === null) throw new Error("the schema is no object");
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    inlineRefs: false,
    strictRequired: false,
    code: { source: true, esm: true },
  });
  ajv.addSchema(schema, "spec");
  const code = standalone.default(ajv, { validateSpec: "spec" });
  if (/\brequire\(/.test(code)) throw new Error("the validator needs a part of ajv at run time: leave out the keyword that does");
  mkdirSync(target, { recursive: true });
  writeChanged("validate-spec.js", code);
  writeChanged("validate-spec.d.ts", TYPES);
}

function writeChanged(name: string, content: string): void {
  const path = join(target, name);
  try {
    if (readFileSync(path, "utf8") === content) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  writeFileSync(path, content);
}
