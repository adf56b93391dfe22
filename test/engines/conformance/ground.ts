import * as assert from "uvu/assert";
import { LABEL } from "../../../src/model/labels.ts";
import { plainNetwork } from "../../../src/model/network.ts";
import { type Case, FOREVER, refused } from "./stage.ts";

/** Networks, volumes, and a project's view of them. */
export function groundCases(it: Case): void {
  it("a project that was never made is empty, not an error", async (stage) => {
    const { containers, networks, volumes, images } = await stage.observe();
    assert.equal({ containers, networks, volumes, images }, { containers: [], networks: [], volumes: [], images: {} });
  });

  it("a network is seen with its project and its key", async (stage) => {
    const name = await stage.network("front");
    const { networks } = await stage.observe();
    assert.equal(
      networks.map((network) => [network.name, network.project, network.key]),
      [[name, stage.project.name, "front"]],
    );
  });

  it("a network that is there already is created again without complaint, once", async (stage) => {
    await stage.network();
    await stage.network();
    assert.is((await stage.observe()).networks.length, 1);
  });

  it("a network is removed, and removing it again is no error", async (stage) => {
    const network = await stage.network();
    await stage.apply({ kind: "network.remove", network });
    await stage.apply({ kind: "network.remove", network });
    assert.equal((await stage.observe()).networks, []);
  });

  it("a network that a container joins is not removed", async (stage) => {
    const network = await stage.network();
    await stage.create(FOREVER, { spec: { networks: [{ name: network, aliases: [] }] } });
    await refused("E_NETWORK_IN_USE", stage.apply({ kind: "network.remove", network }), network);
    assert.is((await stage.observe()).networks.length, 1);
  });

  it("a network can go when its last container is gone", async (stage) => {
    const network = await stage.network();
    const { name } = await stage.run(FOREVER, { spec: { networks: [{ name: network, aliases: [] }] } });
    await stage.remove(name, { force: true });
    await stage.apply({ kind: "network.remove", network });
    assert.equal((await stage.observe()).networks, []);
  });

  it("another project's network is seen by a project that names it, and by no other", async (stage) => {
    const name = await stage.network("shared", stage.other);
    assert.equal((await stage.observe()).networks, []);
    const { networks } = await stage.observe({ ...stage.project, networks: [plainNetwork("mine", name)] });
    assert.equal(
      networks.map((network) => [network.name, network.project]),
      [[name, stage.other.name]],
    );
  });

  it("a volume is seen with its project, its key and its labels, which can be changed", async (stage) => {
    const name = await stage.volume("data");
    const own = { [LABEL.project]: stage.project.name, [LABEL.volume]: "data" };
    const known = { name, project: stage.project.name, key: "data" };
    assert.equal((await stage.observe()).volumes, [{ ...known, labels: own }]);
    const labels = { ...own, team: "a" };
    await stage.apply({ kind: "volume.update", volume: name, labels });
    assert.equal((await stage.observe()).volumes, [{ ...known, labels }]);
  });

  it("a volume that is there already is created again without complaint, once", async (stage) => {
    await stage.volume();
    await stage.volume();
    assert.is((await stage.observe()).volumes.length, 1);
  });

  it("a volume is removed, and removing it again is no error", async (stage) => {
    const volume = await stage.volume();
    await stage.apply({ kind: "volume.remove", volume });
    await stage.apply({ kind: "volume.remove", volume });
    assert.equal((await stage.observe()).volumes, []);
  });

  it("a volume that a container mounts is not removed", async (stage) => {
    const volume = await stage.volume();
    const container = await stage.create(FOREVER, { mounts: [{ ...VOLUME, source: volume }] });
    await refused("E_VOLUME_IN_USE", stage.apply({ kind: "volume.remove", volume }), volume, container);
    assert.is((await stage.observe()).volumes.length, 1);
  });

  it("another project's volume is seen by a project that names it, and by no other", async (stage) => {
    const name = await stage.volume("shared", stage.other);
    assert.equal((await stage.observe()).volumes, []);
    const volumes = [{ key: "mine", name, external: true, labels: {} }];
    const seen = (await stage.observe({ ...stage.project, volumes })).volumes;
    assert.equal(
      seen.map(({ labels: _, ...volume }) => volume),
      [{ name, project: stage.other.name, key: "shared" }],
    );
  });

  it("a container is seen with the volumes that it mounts, the anonymous ones told apart", async (stage) => {
    const volume = await stage.volume();
    const name = await stage.create(FOREVER, {
      mounts: [
        { ...VOLUME, source: volume },
        { ...VOLUME, target: "/cache" },
      ],
    });
    const volumes = (await stage.find(name)).volumes.map((mounted) => [mounted.target, mounted.anonymous]);
    assert.equal(volumes.sort(), [
      ["/cache", true],
      ["/data", false],
    ]);
    assert.ok((await stage.find(name)).volumes.some((mounted) => mounted.name === volume));
  });

  it("a path that the image declares as a volume gets an anonymous one, unless a mount of the service takes it", async (stage) => {
    await stage.image("conformance/volumes:1", { Volumes: { "/kept": {}, "/data": {} } });
    const volume = await stage.volume();
    const name = await stage.create(FOREVER, { image: "conformance/volumes:1", mounts: [{ ...VOLUME, source: volume }] });
    const volumes = (await stage.find(name)).volumes.map((mounted) => [mounted.target, mounted.anonymous]);
    assert.equal(volumes.sort(), [
      ["/data", false],
      ["/kept", true],
    ]);
    await stage.remove(name, { volumes: true });
  });

  it("anonymous volumes stay when their container goes, unless they are to go with it", async (stage) => {
    const keeping = await stage.create(FOREVER, { mounts: [VOLUME] });
    await stage.remove(keeping);
    const { volumes } = await stage.observe();
    assert.equal(
      volumes.map(({ project, key }) => ({ project, key })),
      [{ project: stage.project.name, key: null }],
    );
    const taking = await stage.create(FOREVER, { mounts: [VOLUME] });
    await stage.remove(taking, { volumes: true });
    assert.equal((await stage.observe()).volumes, volumes);
  });

  it("a named volume stays, also when a container's volumes go with it", async (stage) => {
    const volume = await stage.volume();
    const name = await stage.create(FOREVER, { mounts: [{ ...VOLUME, source: volume }] });
    await stage.remove(name, { volumes: true });
    assert.is((await stage.observe()).volumes.length, 1);
  });

  it("an anonymous volume that a successor took over does not go with the container that had it first", async (stage) => {
    const first = await stage.create(FOREVER, { mounts: [VOLUME] });
    const [volume] = (await stage.find(first)).volumes;
    const source = volume?.name ?? "";
    const second = await stage.create(FOREVER, { container: `${first}.next`, mounts: [{ ...VOLUME, source }] });
    assert.equal((await stage.find(second)).volumes, [{ name: source, target: "/data", anonymous: true }]);
    await stage.remove(first, { volumes: true });
    assert.equal(
      (await stage.observe()).volumes.map(({ name }) => name),
      [source],
    );
  });
}

/** An anonymous one. */
const VOLUME = { type: "volume", source: null, target: "/data", readOnly: false, noCopy: false, subpath: null } as const;
