import { absolute, parent } from "../lib/path.ts";
import { suggestion } from "../model/suggest.ts";
import { canonicalService, type Forms, formsOf } from "./canonical.ts";
import { parseDocuments } from "./document.ts";
import type { Context, Draft } from "./draft.ts";
import { interpolateLayer } from "./interpolate.ts";
import { mergeService } from "./merge.ts";
import {
  child,
  type Entry,
  entry,
  isNull,
  type Mapping,
  mapping,
  type Node,
  type Place,
  put,
  sourceOf,
  textOf,
  type Via,
  without,
} from "./node.ts";
import { rebaseService } from "./paths.ts";
import { readText } from "./read.ts";
import { baseOf } from "./resolve.ts";
import { spellLayer } from "./spelling.ts";
import { quote, visible } from "./words.ts";

/** Longest chain of services that extend each other. */
const MOST_LINKS = 100;

/** Fills in what services take from others: of the same document, or of another file. */
export async function extendServices(draft: Draft, context: Context): Promise<Draft> {
  const extender = new Extender(draft, context);
  const layers: Node[] = [];
  for (const layer of draft.layers) layers.push(await extender.layer(layer));
  return { ...draft, layers, inputs: [...new Set([...draft.inputs, ...extender.read])] };
}

/** The services that can be extended together: those of a document, or those of a file. */
interface Pool {
  readonly path: string;
  /** Paths of files that are extended from here start in this directory. */
  readonly directory: string;
  readonly services: Mapping;
  /** The file is another one than the project's: its paths start beside it. */
  readonly foreign: boolean;
  /** Services with what they extend filled in. */
  readonly done: Map<string, Node | null>;
}

interface Link {
  readonly path: string;
  readonly service: string;
  readonly place: Place;
}

class Extender {
  readonly read = new Set<string>();
  readonly #draft: Draft;
  readonly #context: Context;
  readonly #forms: Forms;
  readonly #files = new Map<string, Promise<Pool | null>>();

  constructor(draft: Draft, context: Context) {
    this.#draft = draft;
    this.#context = context;
    this.#forms = formsOf(context);
  }

  async layer(layer: Node): Promise<Node> {
    const services = child(layer, "services");
    if (layer.kind !== "mapping" || services?.kind !== "mapping") return layer;
    if (!Array.from(services.entries.values()).some(({ value }) => entry(value, "extends") !== undefined)) return layer;
    const pool: Pool = { path: services.place.file.path, directory: this.#draft.directory, services, foreign: false, done: new Map() };
    const entries = new Map<string, Entry>();
    for (const [name, held] of services.entries) {
      const value = await this.#extended(name, pool, []);
      entries.set(name, value === null ? held : { ...held, value });
    }
    return put(layer, "services", { ...mapping(entries, services.place), directive: services.directive });
  }

  /** A service of a pool with what it extends filled in; `null` when that cannot be: the report says why. */
  async #extended(name: string, pool: Pool, links: readonly Link[]): Promise<Node | null> {
    const known = pool.done.get(name);
    if (known !== undefined) return known;
    const result = await this.#extend(name, pool, links);
    pool.done.set(name, result);
    return result;
  }

  async #extend(name: string, pool: Pool, links: readonly Link[]): Promise<Node | null> {
    const service = child(pool.services, name);
    const at = entry(service, "extends");
    if (service?.kind !== "mapping" || at === undefined || isNull(at.value)) return service ?? null;
    const own = without(service, "extends");
    const wanted = textOf(at.value) ?? textOf(child(at.value, "service"));
    if (wanted === null) {
      if (at.value.kind === "mapping")
        this.#fail(at.place, `\`services.${name}.extends\` has no \`service\``, "add `service:` with the service to extend");
      else this.#fail(at.place, `\`services.${name}.extends\` must name a service`, "write the name, or `service:` and `file:`");
      return own;
    }
    const place = at.value.kind === "scalar" ? at.value.place : (child(at.value, "service")?.place ?? at.place);
    const link = { path: pool.path, service: name, place };
    if (this.#isCircle(link, links)) return own;
    const file = child(at.value, "file");
    const from = file === undefined ? pool : await this.#pool(file, pool);
    if (from === null) return own;
    if (child(from.services, wanted) === undefined) {
      const where = file === undefined ? "" : ` in ${quote(textOf(file) ?? "")}`;
      const known = [...from.services.entries.keys()];
      const otherwise =
        file === undefined ? "`extends` looks in its own file only: give another one with `file:`" : "check the names in that file";
      this.#fail(
        place,
        `service ${quote(name)} extends ${quote(wanted)}, and there is no such service${where}`,
        suggestion(wanted, known, otherwise).hint,
      );
      return own;
    }
    const base = await this.#extended(wanted, from, [...links, link]);
    if (base === null || isNull(base)) return own;
    const crosses = from.foreign && (from.path !== pool.path || !pool.foreign);
    const settled = crosses ? this.#settled(base, from, wanted) : base;
    const via = { how: "extends", what: `${wanted}${file === undefined ? "" : ` of ${textOf(file) ?? ""}`}`, place } as const;
    return this.#merged(settled, own, { name, via });
  }

  #merged(base: Node, own: Mapping, { name, via }: { readonly name: string; readonly via: Via }): Node {
    const merged = mergeService(base, own, { name, report: this.#context.report });
    if (merged.kind !== "mapping") return merged;
    const entries = new Map<string, Entry>();
    for (const [key, held] of merged.entries) {
      const inherited = held === entry(base, key) || (!own.entries.has(key) && entry(base, key) !== undefined);
      entries.set(key, inherited ? { ...held, via: held.via === undefined ? via : { ...via, before: held.via } } : held);
    }
    return { ...merged, entries, directive: own.directive };
  }

  /** A service of another file with its paths as seen from the project. */
  #settled(service: Node, { directory }: Pool, name: string): Node {
    return rebaseService(canonicalService(service, `services.${name}`, this.#forms), baseOf(directory, this.#draft, this.#context));
  }

  async #pool(file: Node, { directory }: Pool): Promise<Pool | null> {
    const written = textOf(file) ?? "";
    const path = absolute(written, directory);
    const known = this.#files.get(path) ?? this.#load(path, file.place);
    this.#files.set(path, known);
    return known;
  }

  async #load(path: string, place: Place): Promise<Pool | null> {
    const file = await readText({ path, what: "extended file", source: sourceOf(place) }, this.#context);
    if (file === null) return null;
    this.read.add(path);
    const layers = parseDocuments(file, this.#context.report).map((layer) =>
      interpolateLayer(spellLayer(layer, this.#context), this.#draft, this.#context),
    );
    const entries = new Map<string, Entry>();
    for (const layer of layers) {
      const services = child(layer, "services");
      if (services?.kind !== "mapping") continue;
      for (const [name, held] of services.entries) {
        const before = entries.get(name);
        const { report } = this.#context;
        entries.set(name, before === undefined ? held : { ...held, value: mergeService(before.value, held.value, { name, report }) });
      }
    }
    return { path, directory: parent(path), services: mapping(entries, { file, start: 0, end: 0 }), foreign: true, done: new Map() };
  }

  #isCircle(link: Link, links: readonly Link[]): boolean {
    const again = links.findIndex(({ path, service }) => path === link.path && service === link.service);
    if (again === -1 && links.length < MOST_LINKS) return false;
    const circle = links.slice(Math.max(again, 0));
    const names = [...circle, link].map(({ service }) => visible(service));
    const message =
      again === -1
        ? `services extend each other through more than ${MOST_LINKS} steps`
        : `services extend each other in a circle: ${names.join(" -> ")}`;
    this.#context.report.add({
      code: "E_EXTENDS",
      message,
      hint: "take one of these `extends` out",
      source: sourceOf((circle[0] ?? link).place),
      related: circle.slice(1, 12).map(({ place }) => ({ source: sourceOf(place), message: "and here" })),
    });
    return true;
  }

  #fail(place: Place, message: string, hint?: string): void {
    this.#context.report.add({ code: "E_EXTENDS", message, ...(hint === undefined ? {} : { hint }), source: sourceOf(place) });
  }
}
