import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type TarEntry, tar } from "../../support/tar.ts";
import { asRoot, type Layer, withLayer } from "../../support/unpacked.ts";

const it = suite("whiteouts");
const rootly = asRoot(it);
const OPAQUE = "trusted.overlay.opaque=79";

/** What is in the layer: `-` a whiteout, `!` a directory that hides what is below it, `d` and `f` others. */
function shape({ tree }: Layer): string {
  return [...tree]
    .filter(([path]) => path !== "." || tree.get(path)?.includes(OPAQUE))
    .map(([path, line]) =>
      line.startsWith("character") ? `-${path}` : line.startsWith("directory") ? `${line.includes(OPAQUE) ? "!" : "d"}${path}` : `f${path}`,
    )
    .join(" ");
}

async function shapeOf(paths: readonly (string | TarEntry)[]): Promise<string> {
  let found = "";
  const entries = paths.map(
    (path): TarEntry => (typeof path !== "string" ? path : { path, type: path.endsWith("/") ? "directory" : "file" }),
  );
  await withLayer(tar(entries), (layer) => {
    found = shape(layer);
  });
  return found;
}

/** Every order of the entries. */
function orders<T>(items: readonly T[]): readonly (readonly T[])[] {
  return items.length < 2 ? [items] : items.flatMap((item, i) => orders(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

async function inEveryOrder(paths: readonly string[], expected: string): Promise<void> {
  for (const order of orders(paths)) assert.is(await shapeOf(order), expected, order.join(", "));
}

rootly("a whiteout is a character device 0:0", async () => {
  await withLayer(tar([{ path: "d/", type: "directory" }, { path: "d/.wh.gone" }]), ({ tree }) => {
    assert.match(tree.get("d/gone") ?? "", /^character .* 0( |$)/);
  });
});

rootly("a whiteout never removes what its own layer has, whatever the order", async () => {
  await inEveryOrder([".wh.a", "a", "b"], "fa fb");
});

rootly("a directory that is whited out and there again hides the lower one, whatever the order", async () => {
  await inEveryOrder([".wh.d", "d/", "d/x"], "!d fd/x");
  await inEveryOrder([".wh.d", "d/x", "d/y"], "!d fd/x fd/y");
});

rootly("an opaque marker hides what is below and keeps siblings, whatever the order", async () => {
  await inEveryOrder(["d/.wh..wh..opq", "d/", "d/a", "d/b"], "!d fd/a fd/b");
});

rootly("whiteouts in a directory that hides everything are not made: they would be seen", async () => {
  await inEveryOrder(["d/.wh..wh..opq", "d/.wh.a", "d/b"], "!d fd/b");
  await inEveryOrder(["d/.wh..wh..opq", "d/e/.wh.a", "d/e/b"], "!d dd/e fd/e/b");
});

rootly("a whiteout under a whited-out parent adds nothing, whatever the order and the depth", async () => {
  await inEveryOrder([".wh.d", "d/.wh.a"], "-d");
  await inEveryOrder([".wh.d", "d/e/.wh.a", "d/.wh..wh..opq"], "-d");
  await inEveryOrder([".wh.d", "d/.wh.a", "d/b"], "!d fd/b");
});

rootly("a whiteout under a parent that is a file in this layer adds nothing, whatever the order", async () => {
  await inEveryOrder(["d", "d/.wh.a"], "fd");
  await inEveryOrder(["d", "d/.wh..wh..opq"], "fd");
});

rootly("a directory in the place of a file of its own layer hides the lower one", async () => {
  assert.is(await shapeOf(["d", "d/", "d/x"]), "!d fd/x");
  assert.is(await shapeOf(["d/x", "d", "d/"]), "!d");
});

rootly("a whiteout follows the layer's own links to directories", async () => {
  assert.is(await shapeOf(["real/", { path: "link", type: "symlink", target: "/real" }, "link/.wh.a"]), "flink dreal -real/a");
});

rootly("a marker at the root hides everything below", async () => {
  await inEveryOrder([".wh..wh..opq", "a", ".wh.b"], "!. fa");
  await withLayer(tar([{ path: ".wh..wh..opq" }]), ({ unpacked }) => assert.equal(unpacked.opaque, [""]));
});

rootly("private names of old storage drivers are left out", async () => {
  assert.is(await shapeOf([".wh..wh.aufs", ".wh..wh.plnk/", ".wh..wh.plnk/123.456", "a"]), "fa");
});

rootly("the record says which directories hide and which were only passed through", async () => {
  const paths = ["a/b/f", "marked/.wh..wh..opq", "marked/in/f", ".wh.new", "new/f", "said/", "said/f"];
  await withLayer(
    tar(paths.map((path) => ({ path, type: path.endsWith("/") ? ("directory" as const) : ("file" as const) }))),
    ({ unpacked }) => {
      assert.equal(unpacked.opaque, ["marked", "new"]);
      assert.equal(unpacked.implicit, ["a", "a/b", "marked"], "what is in a hiding directory has nothing below it to be like");
    },
  );
});

it.run();
