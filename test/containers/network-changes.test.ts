/** What happens to networks and to who is on them, through the built command. */
import * as assert from "uvu/assert";
import { inspect } from "../support/listings.ts";
import { inside, project } from "../support/network-projects.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("changes of networks");

it("who shares a network comes along when it begins anew", inWorld(sharing));

it("a network that is described otherwise is made anew, and what is on it is restarted", inWorld(changing));

it("an external network must be there, and is another project's to make and to remove", inWorld(external));

it("networks that belong to no project are made, shown, used and removed by their names", inWorld(byName));

it("links are names that one service alone knows", inWorld(links));

it("a one-off is found by its own name, and by the service's when it is asked for", inWorld(oneOffs));

it("what cannot be had is said with what has it", inWorld(refusals));

it.run();

async function sharing(world: World): Promise<void> {
  const spec = (color: string) => ({
    services: { web: `restart: always\n    environment: { COLOR: ${color} }`, side: "network_mode: service:web" },
  });
  const cwd = await project(world, spec("red"));
  await world.ok(["up", "-d"], { cwd });
  const together = async (): Promise<boolean> =>
    (await inside(world, cwd, "web", "readlink /proc/self/ns/net")) === (await inside(world, cwd, "side", "readlink /proc/self/ns/net"));
  await project(world, spec("blue"));
  const { stderr } = await world.wharf(["up", "-d"], { cwd });
  assert.match(stderr, /1 replaced|shop-side-1/);
  assert.ok(await together());
  await world.ok(["restart", "web"], { cwd });
  assert.ok(await together());
  await world.ok(["stop", "web"], { cwd });
  await world.ok(["start", "web"], { cwd });
  assert.ok(await together());
  await world.ok(["stop", "web"], { cwd });
  await world.ok(["up", "-d", "web"], { cwd });
  assert.ok(await together());
  await comesBack(world, cwd, together);
  await world.ok(["stop"], { cwd });
  const alone = await world.wharf(["up", "-d", "--no-deps", "side"], { cwd });
  assert.match(alone.stderr, /E_NETWORK_SHARED.*web.*does not run/);
  await world.ok(["down"], { cwd });
}

/** One that its policy brings back finds those who shared its network, and they find their way out again. */
async function comesBack(world: World, cwd: string, together: () => Promise<boolean>): Promise<void> {
  const side = await inspect(world, "shop-side-1");
  const { State } = await inspect(world, "shop-web-1");
  process.kill(State.Pid, "SIGKILL");
  await until("it is back", async () => {
    const { Status, StartedAt } = (await inspect(world, "shop-web-1")).State;
    return Status === "running" && StartedAt !== State.StartedAt;
  });
  assert.ok(await together());
  assert.is((await inspect(world, "shop-side-1")).State.StartedAt, side.State.StartedAt);
  const gateway = await inside(world, cwd, "side", "ip route | sed -n 's/default via \\([0-9.]*\\).*/\\1/p'");
  assert.match(await inside(world, cwd, "side", `ping -c1 -W2 ${gateway.trim()}`), /1 packets received/);
}

async function changing(world: World): Promise<void> {
  const spec = (subnet: string, labels: string) => ({
    services: { web: "networks: { front: , back: }", db: "networks: [back]" },
    networks: `back: { labels: { a: ${labels} }, ipam: { config: [ { subnet: ${subnet} } ] } }, front: `,
  });
  const cwd = await project(world, spec("10.211.40.0/24", "one"));
  await world.ok(["up", "-d"], { cwd });
  const before = await inspect(world, "shop-web-1");
  await project(world, spec("10.211.40.0/24", "two"));
  const relabelling = await world.ok(["plan"], { cwd });
  assert.match(relabelling, /update +network\/shop_back +changed: labels\.a/);
  assert.not.match(relabelling, /container\//);
  await world.ok(["up", "-d"], { cwd });
  assert.is((await inspect(world, "shop-web-1")).State.StartedAt, before.State.StartedAt);
  await project(world, spec("10.211.41.0/24", "two"));
  const plan = await world.ok(["plan"], { cwd });
  assert.match(plan, /update +network\/shop_back +changed: ipam/);
  assert.match(plan, /update +container\/shop-web-1 +network shop_back changed/);
  await world.ok(["up", "-d"], { cwd });
  const after = await inspect(world, "shop-web-1");
  assert.is(after.Id, before.Id);
  assert.not.equal(after.State.StartedAt, before.State.StartedAt);
  assert.match(await inside(world, cwd, "web", "ip -o -4 addr show eth0"), /10\.211\.41\./);
  assert.is(await inside(world, cwd, "web", "ping -c1 -W2 db > /dev/null && echo db"), "db\n");
  assert.match(await world.ok(["plan"], { cwd }), /nothing to do|unchanged/);
  await world.ok(["down"], { cwd });
}

async function external(world: World): Promise<void> {
  const cwd = await project(world, {
    services: { web: "networks: [theirs]" },
    networks: "theirs: { external: true, name: depot_shared }",
  });
  const missing = await world.wharf(["up", "-d"], { cwd });
  assert.is(missing.status, 1);
  assert.match(missing.stderr, /E_NETWORK_MISSING.*depot_shared/);
  const depot = await project(world, {
    name: "depot",
    services: { store: "networks: { shared: { aliases: [shelf] } }" },
    networks: "shared: ",
  });
  await world.ok(["up", "-d"], { cwd: depot });
  await world.ok(["up", "-d"], { cwd });
  assert.is(await inside(world, cwd, "web", "ping -c1 -W2 shelf > /dev/null && echo shelf"), "shelf\n");
  const inUse = await world.wharf(["down"], { cwd: depot });
  assert.match(inUse.stderr, /E_NETWORK_IN_USE/);
  await world.ok(["down"], { cwd });
  await world.ok(["down"], { cwd: depot });
}

async function byName(world: World): Promise<void> {
  assert.is(
    await world.ok(["network", "create", "--subnet", "10.211.90.0/24", "-o", "com.docker.network.driver.mtu=1400", "proxy"]),
    "proxy\n",
  );
  const cwd = await project(world, { services: { web: "networks: [proxy]" }, networks: "proxy: { external: true }" });
  await world.ok(["up", "-d"], { cwd });
  assert.match(await inside(world, cwd, "web", "ip -o -4 addr show eth0; cat /sys/class/net/eth0/mtu"), /10\.211\.90\.2[\s\S]*1400/);
  assert.match(await world.ok(["network", "ls"]), /proxy +10\.211\.90\.0\/24 +bridge +shop-web-1/);
  const [document] = JSON.parse(await world.ok(["network", "inspect", "proxy"]));
  const [member] = Object.values<{ Name: string; IPv4Address: string }>(document.Containers);
  assert.equal([member?.Name, member?.IPv4Address], ["shop-web-1", "10.211.90.2/24"]);
  assert.match((await world.wharf(["network", "rm", "proxy"])).stderr, /E_NETWORK_IN_USE/);
  await world.ok(["down"], { cwd });
  assert.is(await world.ok(["network", "ls", "-q"]), "proxy\n");
  for (const [args, code] of [
    [["create", "proxy"], "E_NAME_TAKEN"],
    [["create", "../up"], "E_VALUE"],
    [["create", "--subnet", "10.0.0.0/40", "wide"], "E_VALUE"],
    [["create", "-d", "macvlan", "other"], "E_NETWORK_DRIVER"],
    [["rm", "nobody"], "E_NO_SUCH_NETWORK"],
    [["inspect", "nobody"], "E_NO_SUCH_NETWORK"],
  ] as const)
    assert.ok((await world.wharf(["network", ...args])).stderr.includes(code), code);
  assert.is(await world.ok(["network", "prune", "-y"]), "Removed: proxy\n");
  assert.is(await world.ok(["network", "ls", "-q"]), "");
}

async function links(world: World): Promise<void> {
  const cwd = await project(world, {
    services: { web: "links: ['db:store']\n    external_links: ['shop-log-1:ledger']", db: "", log: "" },
  });
  await world.ok(["up", "-d"], { cwd });
  assert.is(await inside(world, cwd, "web", "ping -c1 -W2 store > /dev/null && echo store"), "store\n");
  await until("the name is there", async () => (await inside(world, cwd, "web", "grep -c -w ledger /etc/hosts || true")) === "1\n");
  assert.is(await inside(world, cwd, "log", "grep -c -w store /etc/hosts || true"), "0\n");
  assert.match(await inside(world, cwd, "web", "nslookup store"), /Address: 10\./);
  assert.match(await inside(world, cwd, "log", "nslookup store 2>&1"), /can't find|NXDOMAIN/);
  await world.ok(["down"], { cwd });
}

async function oneOffs(world: World): Promise<void> {
  const cwd = await project(world, {
    services: { web: "networks: { back: { ipv4_address: 10.211.60.9, aliases: [page] } }" },
    networks: "back: { ipam: { config: [ { subnet: 10.211.60.0/24 } ] } }",
  });
  await world.ok(["up", "-d"], { cwd });
  const look = "ip -o -4 addr show eth0 | grep -o '10[0-9.]*/24'; grep -c -w page /etc/hosts";
  assert.is(await world.ok(["run", "--rm", "-T", "web", "sh", "-c", look], { cwd }), "10.211.60.2/24\n1\n");
  await world.ok(["run", "-d", "--name", "beside", "--use-aliases", "web"], { cwd });
  await until("both are found", async () => (await inside(world, cwd, "web", "nslookup page | grep -c '^Address: 10.211.60'")) === "2\n");
  await world.ok(["down"], { cwd });
}

async function refusals(world: World): Promise<void> {
  const cwd = await project(world, {
    services: { web: "networks: [back]" },
    networks: "back: { ipam: { config: [ { subnet: 10.211.80.0/24 } ] } }",
  });
  await world.ok(["up", "-d"], { cwd });
  const other = await project(world, {
    name: "other",
    services: { web: "networks: [back]" },
    networks: "back: { ipam: { config: [ { subnet: 10.211.80.128/25 } ] } }",
  });
  assert.match((await world.wharf(["up", "-d"], { cwd: other })).stderr, /E_SUBNET_TAKEN.*10\.211\.80\.128\/25.*shop_back/);
  await project(world, {
    name: "other",
    services: { web: "networks: [back]" },
    networks: "back: { driver_opts: { com.docker.network.bridge.name: lo } }",
  });
  assert.match((await world.wharf(["up", "-d"], { cwd: other })).stderr, /E_BRIDGE_TAKEN.*lo/);
  await project(world, {
    name: "other",
    services: { web: "networks: { theirs: { ipv4_address: 10.211.80.2 } }" },
    networks: "theirs: { external: true, name: shop_back }",
  });
  assert.match((await world.wharf(["up", "-d"], { cwd: other })).stderr, /E_ADDRESS_TAKEN.*10\.211\.80\.2.*has it/);
  await world.ok(["down"], { cwd: other });
  await world.ok(["down"], { cwd });
}
