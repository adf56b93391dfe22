/** docs/spec.md, made of the schema's descriptions and of what wharf does about each attribute. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SUPPORT } from "../../src/spec/support.ts";

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly description?: string;
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

type Support = "yes" | "no" | "windows" | { readonly [key: string]: Support };

export function specDocument(root: string): string {
  const schema = JSON.parse(readFileSync(join(root, "schemas/spec.schema.json"), "utf8")) as Schema; // our own file
  return new SpecDocument(schema).text();
}

const HEAD = `# The file

<!-- Made by \`npm run generate:docs\` from schemas/spec.schema.json and src/spec/support.ts: change those. -->

A \`wharf.yaml\` holds what the Compose Specification has, and three short names besides. \`compose.yaml\` and its other names are read as well.
For help while writing, put this line at the top of the file:

\`\`\`yaml
# yaml-language-server: $schema=./node_modules/@wharf/cli/schemas/spec.schema.json
\`\`\`

The last column says what the \`oci\` engine does: **yes**, it acts on it; **in part**, see the attribute's own parts; **not yet**, \`wharf up\` warns
with the place and goes on without it; **no effect**, it is of Windows. Every attribute is checked and printed by \`wharf config\`, whatever engines do.
`;

class SpecDocument {
  readonly #schema: Schema;
  readonly #lines: string[] = [HEAD];

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  text(): string {
    this.#table("Top level", this.#schema.properties ?? {}, SUPPORT, "");
    const sections = ["services", "networks", "volumes", "configs", "secrets", "models", "jobs"] as const;
    for (const section of sections) {
      const item = this.#item(this.#schema.properties?.[section]);
      if (item?.properties !== undefined)
        this.#table(`\`${section}.NAME\``, item.properties, below(below(SUPPORT, section), "*"), `${section}.NAME`);
    }
    const own = this.#schema.properties?.["x-wharf"]?.properties;
    if (own !== undefined) this.#table("`x-wharf`", own, undefined, "x-wharf");
    const include = this.#item(this.#schema.properties?.["include"]);
    if (include?.properties !== undefined) this.#table("`include[]`", include.properties, below(SUPPORT, "include"), "include[]");
    return `${this.#lines.join("\n").trimEnd()}\n`;
  }

  /** A table of attributes, and one for each of them that has attributes of its own. */
  #table(title: string, properties: Readonly<Record<string, Schema>>, support: Support | undefined, path: string): void {
    const inner: (() => void)[] = [];
    this.#lines.push(
      `\n${path.split(".").length > 2 ? "###" : "##"} ${title}\n`,
      "| attribute | what it is | form | `oci` |",
      "| --- | --- | --- | --- |",
    );
    for (const [key, given] of Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const schema = this.#followed(given);
      const known = below(support, LONG_NAMES.get(key) ?? key);
      this.#lines.push(`| \`${key}\` | ${cell(given.description ?? schema.description ?? "")} | ${this.#form(schema)} | ${word(known)} |`);
      if (path === "" || LONG_NAMES.has(key)) continue;
      const parts = schema.properties ?? this.#item(schema)?.properties;
      const named =
        typeof schema.additionalProperties === "object" || Object.keys(schema.patternProperties ?? {}).some((name) => name !== "^x-");
      const at = schema.properties !== undefined ? `${path}.${key}` : `${path}.${key}${named ? ".NAME" : "[]"}`;
      const their = schema.properties !== undefined ? known : below(known, "*");
      if (given.$ref?.startsWith(OF_SERVICE) === true) continue; // its parts stand at the service
      if (parts !== undefined && Object.keys(parts).length > 0) inner.push(() => this.#table(`\`${at}\``, parts, their ?? known, at));
    }
    for (const show of inner) show();
  }

  /** What a list or a mapping of names holds. */
  #item(schema: Schema | undefined): Schema | undefined {
    if (schema === undefined) return undefined;
    const { additionalProperties, items } = this.#followed(schema);
    const [named] = Object.entries(schema.patternProperties ?? {}).filter(([pattern]) => pattern !== "^x-");
    const item = named?.[1] ?? (typeof additionalProperties === "object" ? additionalProperties : items);
    return item === undefined ? undefined : this.#followed(item);
  }

  #followed(schema: Schema): Schema {
    const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
    const path = reference?.split("/").slice(1) ?? [];
    const target = reference === undefined ? undefined : path.reduce<Schema | undefined>(member, this.#schema);
    return target === undefined ? schema : { ...target, ...(schema.description === undefined ? {} : { description: schema.description }) };
  }

  #form(schema: Schema): string {
    if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
    const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
    const scalars = types.includes("integer") || types.includes("number") || types.includes("boolean");
    const shown = types.filter((type) => type !== "null" && !(type === "string" && scalars && !types.includes("array")));
    return shown.map((type) => WORDS.get(type) ?? type).join(" or ");
  }
}

const OF_SERVICE = "#/definitions/service/properties/";

function member(schema: Schema | undefined, key: string): Schema | undefined {
  return (schema as Readonly<Record<string, Schema>> | undefined)?.[key];
}

const LONG_NAMES: ReadonlyMap<string, string> = new Map([
  ["cmd", "command"],
  ["env", "environment"],
  ["name", "container_name"],
]);

const WORDS: ReadonlyMap<string, string> = new Map([
  ["string", "text"],
  ["integer", "number"],
  ["boolean", "true or false"],
  ["array", "list"],
  ["object", "mapping"],
]);

function below(support: Support | undefined, key: string): Support | undefined {
  if (support === undefined || typeof support === "string") return support;
  return Object.hasOwn(support, key) ? support[key] : (support["*"] ?? (key === "container_name" ? support["name"] : undefined));
}

function word(support: Support | undefined): string {
  if (support === undefined) return "yes";
  if (typeof support === "string") return { yes: "yes", no: "not yet", windows: "no effect" }[support];
  const words = new Set(Object.values(support).map(word));
  return words.size === 1 ? ([...words][0] ?? "yes") : "in part";
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
