import * as assert from "uvu/assert";
import { type Case, FOREVER, refused, type Stage } from "./stage.ts";

/** Volumes by their names, and what containers need of them. */
export function volumeCases(it: Case): void {
  it("a container that mounts a named volume which nobody made is refused, and nothing is made", async (stage) => {
    const source = `${stage.project.name}_forgotten`;
    await refused("E_VOLUME_MISSING", stage.create(FOREVER, { mounts: [{ ...VOLUME, source }] }), source);
    const { containers, volumes } = await stage.observe();
    assert.equal({ containers, volumes }, { containers: [], volumes: [] });
  });

  it("a volume of no project is listed with its labels and when it was made, and taken away by its name", async (stage) => {
    const name = `${stage.project.name}-archive`;
    const before = Date.now();
    await stage.engine.volumes.create({ name, anonymous: false, labels: { team: "a" }, driverOptions: {} }, stage.signal);
    const { labels, project, key, anonymous, users, createdAt } = await find(stage, name);
    assert.equal(
      { labels, project, key, anonymous, users },
      { labels: { team: "a" }, project: null, key: null, anonymous: false, users: [] },
    );
    assert.ok(Date.parse(createdAt) >= before - 1 && Date.parse(createdAt) <= Date.now() + 1, createdAt);
    assert.is(await stage.engine.volumes.size(name, stage.signal), 0);
    await stage.engine.volumes.remove(name, stage.signal);
    assert.not.ok(await exists(stage, name));
    await refused("E_VOLUME_MISSING", stage.engine.volumes.remove(name, stage.signal), name);
    await refused("E_VOLUME_MISSING", stage.engine.volumes.size(name, stage.signal), name);
  });

  it("a volume is listed with the containers that mount it, and is not taken away under them", async (stage) => {
    const volume = await stage.volume();
    const container = await stage.create(FOREVER, { mounts: [{ ...VOLUME, source: volume }] });
    const { users, project, key } = await find(stage, volume);
    assert.equal({ users, project, key }, { users: [container], project: stage.project.name, key: "data" });
    await refused("E_VOLUME_IN_USE", stage.engine.volumes.remove(volume, stage.signal), volume, container);
    await stage.remove(container);
    await stage.engine.volumes.remove(volume, stage.signal);
    assert.equal((await stage.observe()).volumes, []);
  });

  it("a name that no volume can have is refused", async (stage) => {
    for (const name of ["../up", "-x", "a/b", ""]) {
      await refused("E_VOLUME_NAME", stage.engine.volumes.create({ name, anonymous: false, labels: {}, driverOptions: {} }, stage.signal));
      await refused("E_VOLUME_MISSING", stage.engine.volumes.remove(name, stage.signal));
    }
  });

  it("an anonymous volume is listed as such", async (stage) => {
    const container = await stage.create(FOREVER, { mounts: [VOLUME] });
    const [{ name } = { name: "" }] = (await stage.find(container)).volumes;
    const { anonymous, users } = await find(stage, name);
    assert.equal({ anonymous, users }, { anonymous: true, users: [container] });
  });
}

/** An anonymous one. */
const VOLUME = { type: "volume", source: null, target: "/data", readOnly: false, noCopy: false, subpath: null } as const;

async function find(stage: Stage, name: string) {
  const found = (await stage.engine.volumes.list(stage.signal)).find((volume) => volume.name === name);
  if (found === undefined) throw new Error(`there is no volume ${name}`);
  return found;
}

async function exists(stage: Stage, name: string): Promise<boolean> {
  return (await stage.engine.volumes.list(stage.signal)).some((volume) => volume.name === name);
}
