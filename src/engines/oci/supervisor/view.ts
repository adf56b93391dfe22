import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { containerDirectory, type Layout } from "../layout.ts";
import { allNetworks } from "../network/networks.ts";
import { type Container, type ContainerRecord, findContainer, statusOf } from "../records.ts";
import type { View } from "./duty.ts";

type Known = Map<string, { readonly stamp: string; readonly record: ContainerRecord }>;

/** Reads views of one project. Only records that are new, or were written anew, are read; what containers do is read every time. */
export class Viewer {
  readonly #layout: Layout;
  readonly #project: string;
  #records: Known = new Map();

  constructor(layout: Layout, project: string) {
    this.#layout = layout;
    this.#project = project;
  }

  read(): View {
    const seen: Known = new Map();
    const all: Container[] = [];
    for (const id of readdirSync(this.#layout.containers)) {
      const record = id.startsWith(".") ? null : this.#record(id, seen);
      if (record !== null) all.push({ record, status: statusOf(this.#layout, id) });
    }
    this.#records = seen;
    all.sort((a, b) => (a.record.createdAt < b.record.createdAt ? -1 : 1));
    return {
      layout: this.#layout,
      project: this.#project,
      containers: all.filter(({ record }) => record.spec.project === this.#project),
      live: all.filter(({ status }) => status.state === "running"),
      networks: allNetworks(this.#layout),
    };
  }

  /** A change writes a new file in the old one's place: another inode, another time. */
  #record(id: string, seen: Known): ContainerRecord | null {
    const file = statSync(join(containerDirectory(this.#layout, id), "container.json"), { throwIfNoEntry: false });
    if (file === undefined) return null;
    const stamp = `${file.ino} ${file.mtimeMs}`;
    const known = this.#records.get(id);
    const record = known?.stamp === stamp ? known.record : findContainer(this.#layout, id)?.record;
    if (record === undefined) return null;
    seen.set(id, { stamp, record });
    return record;
  }
}
