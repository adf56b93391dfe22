/**
 * Compiles `schemas/spec.schema.json` into `src/spec/generated/validate-spec.js`, so that nothing of ajv loads at run time.
 * Writes only what changed.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Ajv as AjvClass, CodeKeywordDefinition, KeywordCxt, Name, Options } from "ajv";

// ajv is CommonJS whose exports TypeScript and Node name differently; `require` gives both the same view.
const require = createRequire(import.meta.url);
const { Ajv, _ } = require("ajv") as Pick<typeof import("ajv"), "_"> & { readonly Ajv: new (options: Options) => AjvClass };
const { default: properties } = require("ajv/dist/vocabularies/applicator/properties") as { readonly default: CodeKeywordDefinition };
const standalone = require("ajv/dist/standalone") as { default(ajv: AjvClass, names: Readonly<Record<string, string>>): string };

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const target = join(root, "src/spec/generated");

/** From so many properties on it is quicker to ask what a value has than whether it has each of them. */
const MANY = 20;

/** Characters of a schema that is worth a function. */
const LARGE = 90;

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
  if (!isSchema(schema)) throw new Error("the schema is no object");
  outline(schema);
  unburden(schema);
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    inlineRefs: false,
    strictRequired: false,
    messages: false,
    code: { source: true, esm: true },
  });
  ajv.removeKeyword("properties");
  ajv.addKeyword({ ...properties, before: "patternProperties", code: checkProperties });
  ajv.addSchema(schema, "spec");
  const code = standalone.default(ajv, { validateSpec: "spec" });
  if (/\brequire\(/.test(code)) throw new Error("the validator needs a part of ajv at run time: leave out the keyword that does");
  mkdirSync(target, { recursive: true });
  writeChanged("validate-spec.js", code);
  writeChanged("validate-spec.d.ts", TYPES);
}

type Schema = { [key: string]: unknown };

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Gives schemas of properties that are more than a type a definition, and so a function, of their own: few services have any of them. */
function outline(schema: Schema): void {
  const definitions = schema["definitions"];
  if (!isSchema(definitions)) throw new Error("the schema has no definitions");
  for (const [name, definition] of Object.entries(definitions)) {
    const own = isSchema(definition) ? definition["properties"] : undefined;
    if (!isSchema(own) || Object.keys(own).length < MANY) continue;
    for (const [key, property] of Object.entries(own)) {
      if (!isSchema(property) || "$ref" in property || JSON.stringify(property).length < LARGE) continue;
      definitions[`${name}.${key}`] = property;
      own[key] = { $ref: `#/definitions/${name}.${key}` };
    }
  }
}

/** Takes away the descriptions that no message quotes: that is done where a text does not have the form it must have. */
function unburden(value: unknown): void {
  if (Array.isArray(value)) value.forEach(unburden);
  if (!isSchema(value)) return;
  if (typeof value["description"] === "string" && !("pattern" in value)) delete value["description"];
  Object.values(value).forEach(unburden);
}

/** What ajv does, but where there are many properties: then by a walk over those that the value has, parted by length, then by name. */
function checkProperties(cxt: KeywordCxt): void {
  const names = Object.keys(cxt.schema as Readonly<Record<string, unknown>>);
  if (names.length < MANY) {
    properties.code(cxt);
    return;
  }
  const { gen, data, it } = cxt;
  const valid = gen.name("valid");
  for (const name of names) it.definedProperties.add(name);
  gen.forIn("key", data, (key: Name) => {
    const length = gen.const("length", _`${key}.length`);
    for (const own of new Set(names.map((name) => name.length))) {
      gen.if(_`${length} === ${own}`);
      for (const name of names.filter((other) => other.length === own)) {
        gen.if(_`${key} === ${name}`);
        cxt.subschema({ keyword: "properties", schemaProp: name, dataProp: name }, valid);
        gen.endIf();
      }
      gen.endIf();
    }
  });
  cxt.ok(valid);
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
