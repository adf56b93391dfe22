import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Json } from "../../src/model/json.ts";
import { SHORT_NAMES } from "../../src/spec/spelling.ts";
import { SUPPORT } from "../../src/spec/support.ts";
import { ROOT } from "../support/sources.ts";
import { ATTRIBUTES } from "./attributes.ts";
import { loadFiles } from "./support.ts";

const it = suite("attributes of services");
const schema = JSON.parse(readFileSync(join(ROOT, "schemas/spec.schema.json"), "utf8"));
const attributes: readonly string[] = Object.keys(schema.definitions.service.properties).filter((key) => key !== "x-wharf");
const own = attributes.filter((key) => !SHORT_NAMES.has(key));

for (const [attribute, cases] of Object.entries(ATTRIBUTES))
  it(`\`${attribute}\` is printed as Compose prints it`, async () => {
    for (const { in: text, out } of cases) assert.equal(await printed(attribute, text), out, `${attribute}: ${text}`);
  });

it("every attribute of the schema has a case", () => {
  assert.equal(
    own.filter((attribute) => ATTRIBUTES[attribute] === undefined),
    [],
  );
});

it("every attribute of the schema has a word on what wharf does about it, and none besides", () => {
  assert.equal(Object.keys(SUPPORT.services["*"]).sort(), [...own].sort());
});

it("every key of the schema has a description", () => {
  const missing: string[] = [];
  const walk = (node: unknown, path: string) => {
    if (typeof node !== "object" || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === "properties" && typeof value === "object" && value !== null)
        for (const [name, inner] of Object.entries(value as Record<string, { description?: string; $ref?: string }>))
          if (inner.description === undefined && described(inner.$ref) === undefined) missing.push(`${path}.${name}`);
      walk(value, `${path}.${key}`);
    }
  };
  walk(schema, "");
  assert.equal(missing, []);
});

it.run();

/** What the schema says at the place that a reference names. */
function described(reference = "#"): string | undefined {
  const at = (node: unknown, key: string): unknown => (node as Readonly<Record<string, unknown>> | undefined)?.[key];
  const found = at(reference.split("/").slice(1).reduce(at, schema), "description");
  return typeof found === "string" ? found : undefined;
}

/** The attribute of the service `web` in Compose's JSON. */
async function printed(attribute: string, text: string): Promise<Json | undefined> {
  const image = ["image", "build", "provider"].includes(attribute) ? "" : "    image: x\n";
  const { config } = await loadFiles(
    {
      "/p/shop/wharf.yaml": `services:\n  web:\n${image}    ${attribute}: ${text}\n  other: {image: x}\nnetworks: {n: }\nvolumes: {data: }\nsecrets: {s: {file: s}}\nconfigs: {c: {file: c}}\nmodels: {m: {model: x}}\n`,
      "/p/shop/extra.env": "E=1\n",
    },
    { profiles: ["web"] },
  );
  const services = (config as { readonly services: Readonly<Record<string, Readonly<Record<string, Json>>>> }).services;
  return services["web"]?.[attribute];
}
