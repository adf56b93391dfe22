import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createEngine, doctor } from "../../../src/engines/memory/engine.ts";
import { Failure } from "../../../src/model/diagnostic.ts";
import { Stage } from "../conformance/stage.ts";

const it = suite<{ directory: string; root: string; file: string }>("what the memory engine remembers");

it.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), "wharf-memory-"));
  context.root = join(context.directory, "root");
  context.file = join(context.root, "memory.json");
});

it.after.each(({ directory }) => rm(directory, { recursive: true, force: true }));

it("what one command did, the next one finds", async ({ root }) => {
  const first = await open(root);
  await first.image("shop/web:1");
  const container = await first.run("exit 0", { image: "shop/web:1" });
  const second = await open(root);
  assert.equal(await second.find(container.name), container);
  assert.equal(
    (await second.logs([container.id])).map(({ text }) => text),
    ["sh -c exit 0"],
  );
  await second.stop(container.name);
  assert.is((await first.find(container.name)).state, "exited");
});

it("nothing is written by looking", async ({ root }) => {
  const stage = await open(root);
  await stage.observe();
  await stage.engine.images.list(stage.signal);
  assert.ok((await doctor({ root })).every(({ ok }) => ok));
  assert.not.ok(existsSync(root));
});

it("what changes nothing is not written", async ({ root, file }) => {
  const stage = await open(root);
  await stage.network();
  const { ino } = await stat(file);
  await stage.network();
  assert.is((await stat(file)).ino, ino);
});

it("the file is whole, private, and the only one", async ({ root, file }) => {
  const stage = await open(root);
  await Promise.all(Array.from({ length: 20 }, (_, number) => stage.network(`n${number}`)));
  assert.equal(readdirSync(root), ["memory.json"]);
  assert.is(JSON.parse(await readFile(file, "utf8")).world.observed.networks.length, 20);
});

it("a container without a program that is run attached ends well at once", async ({ root }) => {
  const stage = await open(root);
  await stage.image("shop/web:1");
  const { id, name } = await stage.find(await stage.create("exit 3", { image: "shop/web:1" }));
  assert.is(await quietly(() => stage.engine.runAttached(id, { tty: false, stdin: false, detachKeys: [] }, stage.signal)), 0);
  assert.is((await stage.find(name)).state, "exited");
});

for (const [what, content] of Object.entries({
  "an empty file": "",
  "no JSON": "{",
  "another kind of value": "[]",
  "nothing at all": "null",
  "another version": JSON.stringify({ version: 2, sha256: "", world: {} }),
  "a world that its sum is not of": JSON.stringify({ version: 1, sha256: "0".repeat(64), world: { observed: {} } }),
  "a key of the prototype": '{"version":1,"sha256":"","world":{},"__proto__":{"x":1}}',
  "a deep nest": "[".repeat(200_000),
}))
  it(`a file that is damaged is refused and left as it is: ${what}`, async ({ root, file }) => {
    await mkdir(root);
    await writeFile(file, content);
    await unusable(() => createEngine({ root }), file);
    assert.is(await readFile(file, "utf8"), content);
    const [check] = await doctor({ root });
    assert.equal([check?.ok, check?.fix], [false, `rm ${file}`]);
  });

it("a file that was cut off is refused", async ({ root, file }) => {
  await (await open(root)).network();
  const text = await readFile(file, "utf8");
  await writeFile(file, text.slice(0, -20));
  await unusable(() => createEngine({ root }), file);
});

it("a file that was written by hand is refused", async ({ root, file }) => {
  await (await open(root)).network();
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace("default", "another"));
  await unusable(() => createEngine({ root }), file);
});

it("a directory in the place of the file is refused", async ({ root, file }) => {
  await mkdir(file, { recursive: true });
  await unusable(() => createEngine({ root }), file);
});

it("a root that lies below a file is refused", async ({ directory }) => {
  await writeFile(join(directory, "file"), "");
  const root = join(directory, "file", "root");
  await unusable(() => createEngine({ root }), join(root, "memory.json"));
});

it.run();

async function open(root: string): Promise<Stage> {
  return new Stage({ engine: await createEngine({ root }), rootfs: Buffer.from("a shell") }, "shop");
}

async function unusable(work: () => Promise<unknown>, file: string): Promise<void> {
  const problem = await work().catch((error: unknown) => error);
  assert.ok(problem instanceof Failure && problem.has("E_MEMORY_FILE"), `${problem}`);
  assert.ok(problem.message.startsWith(file), problem.message);
  assert.is(problem.diagnostics[0]?.hint, `rm ${file} makes the memory engine forget`);
}

/** With nothing on this process's standard output. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { write } = process.stdout;
  process.stdout.write = () => true;
  try {
    return await work();
  } finally {
    process.stdout.write = write;
  }
}
