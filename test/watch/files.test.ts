import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Changes } from "../../src/watch/changes.ts";
import { FileWatcher } from "../../src/watch/files.ts";

const it = suite("watching files");

/** Longer than any test: only what the kernel tells counts, unless a test says otherwise. */
const NO_LOOKS = 600_000;

interface Scene {
  readonly directory: string;
  path(name: string): string;
  write(name: string, text?: string): Promise<void>;
  /** As editors save: a new file takes the place of the old one. */
  save(name: string, text?: string): Promise<void>;
  /** Listens to these names; gives whether it heard less until now. */
  follow(...names: readonly string[]): Promise<boolean>;
  /** Names of what changed by doing this. Fails after a while when nothing is noticed. */
  changedBy(act: () => Promise<unknown>): Promise<readonly string[]>;
  /** Names of what is noticed within a moment though nothing should be. */
  noticedBy(act: () => Promise<unknown>): Promise<readonly string[]>;
}

function scene(body: (scene: Scene) => Promise<void>, lookMs = NO_LOOKS): () => Promise<void> {
  return async () => {
    const directory = await mkdtemp(join(tmpdir(), "wharf-watch-"));
    const changes = new Changes({ quietMs: 30, mostMs: 500 });
    const watcher = new FileWatcher(changes, lookMs);
    const path = (name: string): string => join(directory, name);
    const write = (name: string, text = "x"): Promise<void> => writeFile(path(name), text);
    const taken = async (act: () => Promise<unknown>, ms: number): Promise<readonly string[]> => {
      await act();
      return (await changes.take(AbortSignal.timeout(ms))).map((changed) => changed.slice(directory.length + 1));
    };
    try {
      await body({
        directory,
        path,
        write,
        save: async (name, text) => {
          await write(`${name}.tmp`, text);
          await rename(path(`${name}.tmp`), path(name));
        },
        follow: (...names) => watcher.follow(names.map(path)),
        changedBy: async (act) => {
          const changed = await taken(act, 5000);
          assert.ok(changed.length > 0, "nothing was noticed");
          return changed;
        },
        noticedBy: (act) => taken(act, 150),
      });
    } finally {
      watcher.close();
      await rm(directory, { recursive: true, force: true });
    }
  };
}

it(
  "a file that is written to, also by many small writes, is one change",
  scene(async ({ write, follow, changedBy, noticedBy }) => {
    await write("wharf.yaml");
    await follow("wharf.yaml");
    const burst = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) await write("wharf.yaml", String(i));
    };
    assert.equal(await changedBy(burst), ["wharf.yaml"]);
    assert.equal(await noticedBy(async () => {}), []);
  }),
);

it(
  "a file that editors replace is followed, again and again",
  scene(async ({ write, save, follow, changedBy }) => {
    await write("wharf.yaml");
    await follow("wharf.yaml");
    for (let i = 0; i < 3; i++) assert.equal(await changedBy(() => save("wharf.yaml")), ["wharf.yaml"]);
    assert.equal(await changedBy(() => write("wharf.yaml", "written in place")), ["wharf.yaml"]);
    assert.is(await follow("wharf.yaml"), false);
  }),
);

it(
  "a file that is removed is noticed, and so is that it comes again",
  scene(async ({ path, write, follow, changedBy }) => {
    await write("wharf.yaml");
    await follow("wharf.yaml");
    assert.equal(await changedBy(() => rm(path("wharf.yaml"))), ["wharf.yaml"]);
    assert.equal(await changedBy(() => write("wharf.yaml")), ["wharf.yaml"]);
    assert.equal(await changedBy(() => write("wharf.yaml", "more")), ["wharf.yaml"]);
  }),
);

it(
  "a file that was never there is noticed when it appears; its neighbours are not",
  scene(async ({ write, follow, changedBy, noticedBy }) => {
    await write("wharf.yaml");
    await follow("wharf.yaml", ".env", "wharf.override.yaml");
    assert.equal(await noticedBy(() => write(".env.swp")), []);
    assert.equal(await changedBy(() => write(".env")), [".env"]);
    assert.equal(await changedBy(() => write("wharf.override.yaml")), ["wharf.override.yaml"]);
  }),
);

it(
  "what is no longer followed is no longer noticed",
  scene(async ({ write, follow, noticedBy, changedBy }) => {
    await follow("a", "b");
    assert.is(await follow("b"), true);
    assert.is(await follow("b"), false);
    assert.equal(await noticedBy(() => write("a")), []);
    assert.equal(await changedBy(() => write("b")), ["b"]);
  }),
);

it(
  "a file in directories that are not there is found step by step",
  scene(async ({ path, write, follow, changedBy }) => {
    await follow("config/env/web.env");
    assert.equal(await changedBy(() => mkdir(path("config"))), ["config"]);
    assert.is(await follow("config/env/web.env"), true);
    assert.equal(await changedBy(() => mkdir(path("config/env"))), [join("config", "env")]);
    assert.is(await follow("config/env/web.env"), true);
    assert.equal(await changedBy(() => write("config/env/web.env")), ["config/env/web.env"]);
    assert.is(await follow("config/env/web.env"), false);
  }),
);

it(
  "a directory that another one takes the place of is listened to anew",
  scene(async ({ path, write, follow, changedBy }) => {
    await mkdir(path("env"));
    await write("env/web.env");
    await follow("env/web.env");
    const replaced = async (): Promise<void> => {
      await rename(path("env"), path("old"));
      await mkdir(path("env"));
      await write("env/web.env");
    };
    assert.equal(await changedBy(replaced), ["env/web.env"]);
    assert.is(await follow("env/web.env"), true);
    assert.equal(await changedBy(() => write("env/web.env", "more")), ["env/web.env"]);
    assert.equal(await changedBy(() => rm(path("env"), { recursive: true })), ["env/web.env"]);
  }),
);

it(
  "a file with the name of its directory is not taken for it",
  scene(async ({ directory, write, follow, noticedBy }) => {
    await write("wharf.yaml");
    await follow("wharf.yaml");
    assert.equal(await noticedBy(() => write(basename(directory))), []);
  }),
);

it(
  "behind symbolic links both the link and what it leads to are followed",
  scene(async ({ path, write, follow, changedBy, noticedBy }) => {
    for (const version of ["1", "2"]) {
      await mkdir(path(version));
      await write(`${version}/wharf.yaml`);
    }
    await symlink("1", path("current"));
    await symlink("current/wharf.yaml", path("wharf.yaml"));
    await follow("wharf.yaml");
    assert.equal(await changedBy(() => write("1/wharf.yaml", "more")), ["1/wharf.yaml"]);
    const switched = async (): Promise<void> => {
      await symlink("2", path("next"));
      await rename(path("next"), path("current"));
    };
    assert.equal(await changedBy(switched), ["current"]);
    assert.is(await follow("wharf.yaml"), true);
    assert.equal(await noticedBy(() => write("1/wharf.yaml", "old")), []);
    assert.equal(await changedBy(() => write("2/wharf.yaml", "new")), ["2/wharf.yaml"]);
  }),
);

it(
  "a circle of symbolic links is a file that is not there",
  scene(async ({ path, write, follow, changedBy }) => {
    await symlink("b", path("a"));
    await symlink("a", path("b"));
    await follow("a");
    await changedBy(async () => {
      await rm(path("b"));
      await write("b");
    });
  }),
);

it(
  "what the kernel does not tell is seen by looking: a directory far above that was moved",
  scene(async ({ path, write, follow, changedBy, noticedBy }) => {
    await mkdir(path("far/above/env"), { recursive: true });
    await write("far/above/env/web.env");
    await follow("far/above/env/web.env");
    assert.equal(await changedBy(() => rename(path("far"), path("gone"))), ["far/above/env/web.env"]);
    assert.is(await follow("far/above/env/web.env"), true);
    assert.equal(await changedBy(() => rename(path("gone"), path("far"))), ["far"]);
    await follow("far/above/env/web.env");
    assert.equal(await noticedBy(() => sleep(100)), [], "what was noticed once is not seen again");
  }, 40),
);

it.run();
