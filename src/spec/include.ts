import { absolute, parent, shown } from "../lib/path.ts";
import { type Context, type Draft, scopeOf } from "./draft.ts";
import { readVariables } from "./environment.ts";
import {
  child,
  type Entry,
  entriesOf,
  isNull,
  itemsOf,
  type Mapping,
  mapping,
  type Node,
  type Place,
  put,
  type SourceFile,
  sourceOf,
  textOf,
  toJson,
  type Via,
  without,
} from "./node.ts";
import { readText } from "./read.ts";
import { quote } from "./words.ts";

/** Deepest nesting of included files. */
const MOST_DEPTH = 50;

/** Sections whose parts an included project gives. */
const SECTIONS = ["services", "networks", "volumes", "secrets", "configs", "models", "jobs"] as const;

/** Loads the projects that files include, each with its own directory and variables, and adds what they declare to the file that includes them. */
export async function include(draft: Draft, context: Context): Promise<Draft> {
  if (!draft.layers.some((layer) => child(layer, "include") !== undefined)) return draft;
  const layers: Node[] = [];
  const inputs = new Set(draft.inputs);
  const scopes = new Map(draft.scopes);
  for (const layer of draft.layers) {
    let result = layer;
    const entries = child(layer, "include");
    if (layer.kind !== "mapping" || entries?.kind !== "list") {
      layers.push(layer.kind === "mapping" && entries !== undefined && isNull(entries) ? without(layer, "include") : layer);
      continue;
    }
    result = without(layer, "include");
    for (const item of entries.items) {
      const included = await load(item, draft, context);
      if (included === null) continue;
      for (const path of included.draft.inputs) inputs.add(path);
      for (const part of partsOf(included.draft.tree)) if (!scopes.has(part)) scopes.set(part, scopeOf(included.draft, part));
      result = imported(asMapping(result), included.draft.tree, { via: included.via, report: context.report });
    }
    layers.push(result);
  }
  return { ...draft, layers, inputs: [...inputs], scopes };
}

function partsOf(tree: Node): readonly string[] {
  return SECTIONS.flatMap((section) => Array.from(entriesOf(child(tree, section)), ([key]) => `${section}.${key}`));
}

interface Included {
  readonly draft: Draft;
  readonly via: Via;
}

/** An included project; `null` when it cannot be read: the report says why. */
async function load(item: Node, draft: Draft, context: Context): Promise<Included | null> {
  const pathNode = child(item, "path") ?? item;
  const paths = itemsOf(pathNode).filter((node) => textOf(node) !== null);
  const [first] = paths;
  if (first === undefined || (item.kind === "mapping" && child(item, "path") === undefined)) return wrong(item, context);
  const locations = paths.map((node) => ({ path: absolute(textOf(node) ?? "", draft.directory), place: node.place }));
  const [main = ""] = locations.map(({ path }) => path);
  if (isCircle(main, first.place, draft, context)) return null;
  const files = await Promise.all(
    locations.map(({ path, place }) => readText({ path, what: "included file", source: sourceOf(place) }, context)),
  );
  const found = files.filter((file): file is SourceFile => file !== null);
  if (found.length < files.length) return null;
  const given = textOf(child(item, "project_directory"));
  const directory = given === null ? parent(main) : absolute(given, draft.directory);
  const variables = await variablesOf(item, directory, draft, context);
  const result = await context.tree({
    ...draft,
    files: found,
    inputs: [...found.map(({ path }) => path), ...variables.paths],
    directory,
    variables: variables.values,
    origins: variables.origins,
    scopes: new Map(),
    layers: [],
    chain: [...draft.chain, ...draft.files.slice(0, 1).map(({ path }) => path)],
    tree: mapping(new Map(), item.place),
  });
  return { draft: result, via: { how: "include", what: shown(main, context.options.cwd), place: first.place } };
}

/** The variables of an included project: those that are known, over those of its own files. */
async function variablesOf(item: Node, directory: string, draft: Draft, context: Context): ReturnType<typeof readVariables> {
  const named = itemsOf(child(item, "env_file")).filter((node) => (textOf(node) ?? "") !== "");
  const usual = absolute(".env", directory);
  const requests =
    named.length > 0
      ? named.map((node) => ({ path: absolute(textOf(node) ?? "", draft.directory), place: node.place }))
      : directory !== draft.directory && (await context.reader.exists(usual))
        ? [{ path: usual, place: null }]
        : [];
  const wanted = requests.filter(({ path }) => path !== "/dev/null");
  return readVariables(wanted, { over: draft.variables, origins: draft.origins, context });
}

/** Adds the parts of an included project. One that the file declares as well must be the same. */
function imported(layer: Mapping, tree: Node, { via, report }: { readonly via: Via; readonly report: Context["report"] }): Mapping {
  let result = layer;
  for (const section of SECTIONS) {
    const added = child(tree, section);
    if (added?.kind !== "mapping") continue;
    const own = child(result, section);
    const entries = new Map<string, Entry>(own?.kind === "mapping" ? own.entries : []);
    for (const [key, entry] of entriesOf(added)) {
      const before = entries.get(key);
      if (before === undefined) entries.set(key, { ...entry, via: entry.via === undefined ? via : { ...via, before: entry.via } });
      else if (!isSame(before.value, entry.value))
        report.add({
          code: "E_INCLUDE",
          message: `\`${section}.${key}\` is declared here and in the included ${quote(via.what)}, and they differ`,
          hint: "rename one of them, or change the included one in an override file",
          source: sourceOf(before.place),
          related: [
            { source: sourceOf(entry.place), message: "the included one" },
            { source: sourceOf(via.place), message: "included here" },
          ],
        });
    }
    result = put(result, section, mapping(entries, own?.place ?? added.place));
  }
  return result;
}

function isSame(a: Node, b: Node): boolean {
  return a === b || (isNull(a) && isNull(b)) || JSON.stringify(toJson(a)) === JSON.stringify(toJson(b));
}

function isCircle(path: string, place: Place, draft: Draft, context: Context): boolean {
  const chain = [...draft.chain, ...draft.files.slice(0, 1).map((file) => file.path)];
  if (!chain.includes(path) && chain.length < MOST_DEPTH) return false;
  const names = [...chain.slice(Math.max(chain.indexOf(path), 0)), path].map((name) => shown(name, context.options.cwd));
  context.report.add({
    code: "E_INCLUDE",
    message: chain.includes(path)
      ? `files include each other in a circle: ${names.join(" -> ")}`
      : `files include each other through more than ${MOST_DEPTH} steps`,
    hint: "take one of these out",
    source: sourceOf(place),
  });
  return true;
}

function wrong(item: Node, { report }: Context): null {
  report.add({
    code: "E_TYPE",
    message: "an entry of `include` must be a path, or a mapping with `path`",
    hint: "write `- path: ./other/compose.yaml`",
    source: sourceOf(item.place),
  });
  return null;
}

function asMapping(node: Node): Mapping {
  return node.kind === "mapping" ? node : mapping(new Map(), node.place);
}
