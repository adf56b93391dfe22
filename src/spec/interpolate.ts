import type { Context, Draft } from "./draft.ts";
import { each, type Node, type Scalar, scalar, sourceOf, within } from "./node.ts";
import { ownRule, type RuleTree, spell, type Trail, under } from "./path.ts";
import { substitute, TemplateError } from "./template.ts";
import { visible } from "./words.ts";

/** What a text is read as after interpolation, so that `tty: ${TTY}` can be a truth value. */
type Cast = "boolean" | "integer" | "number";

const UPDATE: RuleTree<Cast> = { parallelism: "integer", max_failure_ratio: "number" };

const CASTS: RuleTree<Cast> = {
  services: {
    "*": {
      cpu_count: "integer",
      cpu_percent: "number",
      cpu_period: "integer",
      cpu_quota: "integer",
      cpu_rt_period: "integer",
      cpu_rt_runtime: "integer",
      cpus: "number",
      cpu_shares: "integer",
      depends_on: { "*": { required: "boolean", restart: "boolean" } },
      deploy: {
        placement: { max_replicas_per_node: "integer" },
        replicas: "integer",
        restart_policy: { max_attempts: "integer" },
        rollback_config: UPDATE,
        update_config: UPDATE,
      },
      env_file: { "*": { required: "boolean" } },
      healthcheck: { disable: "boolean", retries: "integer" },
      init: "boolean",
      oom_kill_disable: "boolean",
      oom_score_adj: "integer",
      pids_limit: "integer",
      ports: { "*": { target: "integer" } },
      privileged: "boolean",
      read_only: "boolean",
      scale: "integer",
      stdin_open: "boolean",
      tty: "boolean",
      ulimits: { "*": { "": "integer", hard: "integer", soft: "integer" } },
      volumes: { "*": { read_only: "boolean", bind: { create_host_path: "boolean" }, volume: { nocopy: "boolean" } } },
    },
  },
  "x-wharf": { revisions: "integer" },
  configs: { "*": { external: "boolean" } },
  networks: { "*": { attachable: "boolean", external: "boolean", internal: "boolean" } },
  secrets: { "*": { external: "boolean" } },
  volumes: { "*": { external: "boolean" } },
};

/** Fills in variables in every text value (keys stay as they are) and reads the result as its place asks. */
export function interpolate(draft: Draft, context: Context): Draft {
  if (context.options.interpolate === false) return draft;
  const interpolator = new Interpolator(draft, context);
  return { ...draft, layers: draft.layers.map((layer) => interpolator.node(layer, TOP)) };
}

/** Likewise for one document of a file that a service of the project extends. */
export function interpolateLayer(layer: Node, draft: Draft, context: Context): Node {
  const [result = layer] = interpolate({ ...draft, layers: [layer] }, context).layers;
  return result;
}

interface At extends Trail {
  readonly casts: RuleTree<Cast> | undefined;
}

/** Where a document begins. */
const TOP: At = { up: null, key: "", casts: CASTS };

/** Nodes of a collection that is looked through again sooner than it is looked up. */
const LITTLE = 16;

class Interpolator {
  readonly #variables: ReadonlyMap<string, string>;
  readonly #origins: Draft["origins"];
  readonly #context: Context;
  /** What aliases share is filled in once. */
  readonly #done = new Map<Node, { readonly casts: At["casts"]; readonly after: Node }>();
  /** Variables that a warning was given for. */
  readonly #unset = new Set<string>();

  constructor({ variables, origins }: Pick<Draft, "variables" | "origins">, context: Context) {
    this.#variables = variables;
    this.#origins = origins;
    this.#context = context;
  }

  /** The node itself where nothing in it changes. */
  node(node: Node, at: At): Node {
    if (node.kind !== "scalar") return this.#collection(node, at);
    return typeof node.value === "string" ? this.#scalar(node, node.value, at) : node;
  }

  /** Its own size stays: a value does not grow by what it says. */
  #collection(node: Node, at: At): Node {
    const known = this.#done.get(node);
    if (known !== undefined && known.casts === at.casts) return known.after;
    const after = this.#filled(node, at);
    if (after !== node || node.size > LITTLE) this.#done.set(node, { casts: at.casts, after });
    return after;
  }

  #filled(node: Node, at: At): Node {
    const up = at === TOP ? null : at;
    return each(node, (value, key) => {
      const casts = at.casts === undefined ? undefined : under(at.casts, key);
      if (value.kind === "scalar" && casts === undefined && !value.text.includes("$")) return value;
      return this.node(value, { up, key: node.kind === "list" ? Number(key) : key, casts });
    });
  }

  #scalar(node: Scalar, text: string, at: At): Scalar {
    const cast = ownRule(at.casts);
    if (cast === null && !text.includes("$")) return node;
    const filled = this.#fill(node, text);
    if (filled === null) return node;
    const value = cast === null ? filled : CASTERS[cast](filled);
    if (value === null)
      this.#context.report.add({
        code: "E_VALUE",
        message: `\`${spell(at)}\` is ${filled === "" ? "empty" : `\`${visible(filled)}\``}: it must be ${EXPECTED[cast ?? "integer"]}`,
        ...(filled === text ? {} : { hint: `\`${visible(text)}\` came out ${filled === "" ? "empty" : `as \`${visible(filled)}\``}` }),
        source: sourceOf(node.place),
      });
    return {
      ...scalar(value ?? filled, node.place, filled),
      directive: node.directive,
      ...(filled === text ? {} : { template: { text, variables: this.#variables, origins: this.#origins } }),
    };
  }

  /** The text with its variables, or `null` when its template is wrong. */
  #fill(node: Scalar, text: string): string | null {
    try {
      return substitute(text, {
        lookup: (name) => this.#variables.get(name),
        unset: (name, start, end) => this.#warn(name, within(node, start, end)),
      });
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      const { code, message, hint } = error;
      this.#context.report.add({ code, message: visible(message, 300), hint, source: sourceOf(within(node, error.start, error.end)) });
      return null;
    }
  }

  #warn(name: string, place: Node["place"]): void {
    if (this.#unset.has(name)) return;
    this.#unset.add(name);
    this.#context.report.add({
      code: "W_UNSET_VARIABLE",
      message: `the variable \`${name}\` is not set: it is taken as empty`,
      hint: `set it in the environment or in \`.env\`, or give a default: \${${name}:-…}`,
      source: sourceOf(place),
    });
  }
}

const EXPECTED = { boolean: "true or false", integer: "a whole number", number: "a number" } as const satisfies Record<Cast, string>;

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["true", "1", "t", "y", "yes", "on"].map((word) => [word, true] as const),
  ...["false", "0", "f", "n", "no", "off"].map((word) => [word, false] as const),
]);

const CASTERS = {
  boolean: (text) => BOOLEANS.get(text.toLowerCase()) ?? null,
  integer: (text) => (/^[-+]?[0-9]{1,15}$/.test(text) ? Number(text) : null),
  number: (text) => (/^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/.test(text) ? Number(text) : null),
} as const satisfies Record<Cast, (text: string) => boolean | number | null>;
