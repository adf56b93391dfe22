import type { Awaited, Stamped } from "../model/event.ts";
import type { FrameOptions } from "./frame.ts";
import { SPINNER } from "./frame.ts";
import { table } from "./table.ts";
import { elapsed } from "./units.ts";

/** What `--wait` waits for, as all events so far have it. */
export class Waits {
  readonly #rows = new Map<string, Awaited>();
  #isShown = false;

  get rows(): readonly Awaited[] {
    return [...this.#rows.values()];
  }

  get isOpen(): boolean {
    return this.rows.some(({ verdict }) => verdict === "open");
  }

  apply(event: Stamped): void {
    if (event.type === "wait.changed") this.#rows.set(event.container.name, event.container);
    if (event.type !== "wait.started") return;
    for (const one of event.containers) this.#rows.set(one.name, one);
    this.#isShown = this.isOpen;
  }

  /** What stays on the screen: nothing where there was nothing to wait for. */
  final(options: FrameOptions): readonly string[] {
    return this.#isShown ? lines(this.rows, options) : [];
  }
}

/** The picture of a wait: at most `rows - 2` lines. Where not all fits, what failed and what is not there yet comes first. */
export function waitFrame(rows: readonly Awaited[], options: FrameOptions): readonly string[] {
  const room = Math.max(2, options.rows - 2);
  if (rows.length < room) return lines(rows, options);
  const ranked = [...rows].sort((a, b) => RANK[a.verdict] - RANK[b.verdict]);
  const hidden = ranked.slice(room - 2);
  const open = hidden.filter(({ verdict }) => verdict === "open").length;
  const more = options.style.dim(`   … ${hidden.length} more (${hidden.length - open} ready, ${open} to come)`);
  return [...lines(ranked.slice(0, room - 2), options), more];
}

/** One line on how a container is: `healthy`, `running, starting`, `exited with 0`. */
export function milestone({ verdict, state, health, exitCode }: Awaited): string {
  const how = state === "exited" || state === "restarting" ? `${state}${exitCode === null ? "" : ` with ${exitCode}`}` : state;
  if (verdict === "ready") return health ?? how;
  if (verdict === "done") return how;
  if (verdict === "failed") return `failed: ${health ?? how}`;
  return `waiting: ${health ?? how}`;
}

const RANK = { failed: 0, open: 1, ready: 2, done: 3 } as const satisfies Record<Awaited["verdict"], number>;

function lines(rows: readonly Awaited[], options: FrameOptions): readonly string[] {
  const { style, columns, now } = options;
  const cells = rows.map(({ service, name, state, exitCode, health, since }) => [
    service ?? "-",
    name,
    exitCode !== null && (state === "exited" || state === "restarting") ? `${state} (${exitCode})` : state,
    health ?? "-",
    elapsed(Math.max(0, now - Date.parse(since))),
  ]);
  const [head = "", ...body] = table(COLUMNS, cells, { width: columns - 4 });
  return [`   ${style.dim(head)}`, ...body.map((text, i) => ` ${mark(rows[i]?.verdict ?? "open", options)} ${text}`)];
}

const COLUMNS = [
  { title: "SERVICE", shrinkTo: 8 },
  { title: "CONTAINER", shrinkTo: 12 },
  { title: "STATE" },
  { title: "HEALTH" },
  { title: "SINCE", drop: 1 },
];

function mark(verdict: Awaited["verdict"], { style, tick }: FrameOptions): string {
  switch (verdict) {
    case "ready":
    case "done":
      return style.green("✔");
    case "failed":
      return style.red("✘");
    case "open":
      return style.cyan(SPINNER[tick % SPINNER.length] ?? "-");
  }
}
