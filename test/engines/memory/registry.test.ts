import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ApplyContext } from "../../../src/engine/engine.ts";
import type { ImageConfig } from "../../../src/engine/images.ts";
import { createMemoryEngine } from "../../../src/engines/memory/engine.ts";
import type { Reference } from "../../../src/model/reference.ts";
import { project, reference, service } from "../../support/build.ts";
import { refused } from "../conformance/stage.ts";

const it = suite("what the memory engine pulls");
const WEB = reference("shop/web:1");

it("without a registry every name has an image that runs something", async () => {
  const engine = createMemoryEngine();
  await engine.apply(pull(WEB), context());
  assert.equal((await seen(engine))?.command, ["/run"]);
});

it("an image is what the registry has under its name", async () => {
  const engine = createMemoryEngine({ registry: () => ({ Entrypoint: ["web"], Cmd: ["-p", "80"], Volumes: { "/data": {} } }) });
  const notes: string[] = [];
  await engine.apply(pull(WEB), context({ note: (message) => notes.push(message) }));
  const image = await seen(engine);
  assert.equal([image?.command, image?.volumes], [["web", "-p", "80"], ["/data"]]);
  assert.equal(notes, [`digest: ${image?.digest}`]);
});

it("a name that the registry does not have is refused", async () => {
  const engine = createMemoryEngine({ registry: () => null });
  await refused("E_IMAGE_NOT_FOUND", engine.apply(pull(WEB), context()), "shop/web:1");
});

it("a tag that moved brings another image, and the one before loses its name", async () => {
  const versions: ImageConfig[] = [{ Cmd: ["one"] }, { Cmd: ["two"] }];
  const engine = createMemoryEngine({ registry: () => versions.shift() ?? null });
  await engine.apply(pull(WEB), context());
  const before = await seen(engine);
  await engine.apply({ ...pull(WEB), policy: "missing" }, context());
  assert.equal(await seen(engine), before);
  await engine.apply(pull(WEB), context());
  assert.equal((await seen(engine))?.command, ["two"]);
  const listed = await engine.images.list(context().signal);
  assert.equal(new Map(listed.map((image) => [image.id, image.reference])).get(before?.id ?? ""), null);
});

it("an image is of the platform that was asked for, else of this machine", async () => {
  const engine = createMemoryEngine();
  await engine.apply({ ...pull(WEB), platform: "linux/arm/v7" }, context());
  const [image] = await engine.images.list(context().signal);
  assert.equal(image?.platform, { os: "linux", architecture: "arm", variant: "v7" });
});

it("a push is refused: there is nowhere to push to", async () => {
  const engine = createMemoryEngine();
  await engine.apply(pull(WEB), context());
  await refused(
    "E_UNSUPPORTED",
    engine.images.push(WEB, () => {}, context().signal),
    "shop/web:1",
  );
});

it.run();

function pull(image: Reference) {
  return { kind: "image.pull", reference: image, platform: null, policy: "always" } as const;
}

async function seen(engine: ReturnType<typeof createMemoryEngine>) {
  const wanted = project({ services: [service({ image: "shop/web:1" })] });
  return (await engine.observe(wanted, context().signal)).images[WEB];
}

function context(given: Partial<ApplyContext> = {}): ApplyContext {
  return { signal: AbortSignal.timeout(10_000), progress: () => {}, note: () => {}, ...given };
}
