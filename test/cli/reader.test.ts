import { basename } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { recording } from "../../src/cli/reader.ts";
import { Failure } from "../../src/model/diagnostic.ts";
import { type LoadOptions, load, type Reader } from "../../src/spec/load.ts";

const it = suite("what a spec depends on");

const OPTIONS: LoadOptions = {
  files: null,
  stdin: null,
  cwd: "/srv/shop",
  projectName: null,
  projectDirectory: null,
  envFiles: null,
  profiles: [],
  env: {},
};

/** Loads from files that are only texts; gives the paths that it asked for. */
async function asked(files: Readonly<Record<string, string>>, options: Partial<LoadOptions> = {}): Promise<readonly string[]> {
  const reader: Reader = {
    read: async (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
      return Buffer.from(text);
    },
    exists: async (path) => files[path] !== undefined,
  };
  const recorded = recording(reader);
  try {
    await load({ ...OPTIONS, ...options }, recorded.reader);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
  return [...recorded.paths];
}

it("files that are read, and files that would be if they were there", async () => {
  const spec = "services:\n  web:\n    image: web\n    env_file: [web.env, { path: more.env, required: false }]\n";
  const paths = await asked({ "/srv/shop/compose.yaml": spec, "/srv/shop/web.env": "A=1\n" });
  const names = paths.map((path) => basename(path));
  for (const name of ["compose.yaml", "web.env", "more.env", ".env", "compose.override.yaml", "docker-compose.override.yml"])
    assert.ok(names.includes(name), name);
  assert.ok(names.includes("wharf.yaml"), "it would be taken instead");
  assert.not.ok(names.includes("docker-compose.yaml"), "it would not be");
});

it("of a spec that cannot be read, that one", async () => {
  const paths = await asked({ "/srv/shop/wharf.yaml": "services: [\n" });
  assert.ok(paths.includes("/srv/shop/wharf.yaml"));
});

it("a named file that is not there", async () => {
  assert.equal(await asked({}, { files: ["shop.yaml"] }), ["/srv/shop/shop.yaml"]);
});

it("where none is found, every place that was looked at", async () => {
  const paths = await asked({});
  for (const path of ["/srv/shop/wharf.yaml", "/srv/compose.yaml", "/docker-compose.yml"]) assert.ok(paths.includes(path), path);
});

it.run();
