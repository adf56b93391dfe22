/** Images of containers: what was changed in them is a layer that runs, travels, and says what a registry's layers say. */
import * as assert from "uvu/assert";
import { IDLE, idleProject } from "../support/idle.ts";
import { inspect } from "../support/listings.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("commit");

it("a container's changes are a layer: what is new, changed, gone and replaced is so in a container of the image", inWorld(layer));

it("settings come from the container, and from --change over them", inWorld(settings));

it.run();

async function layer(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE}, volumes: [/data], secrets: [word] }`]);
  await world.project("shop", {
    "wharf.yaml": `services:\n  web: { ${IDLE}, volumes: [/data], secrets: [word] }\nsecrets: { word: { environment: WORD } }\n`,
  });
  await world.ok(["up", "-d"], { cwd, env: { WORD: "secret" } });
  const script = [
    "echo new >/srv/new; chown 1000:10 /srv/new; chmod 4750 /srv/new; ln /srv/new /srv/again; ln -s new /srv/link; mknod /srv/null c 1 3; mkfifo /srv/pipe",
    "echo more >>/etc/passwd; rm /etc/os-release; rm -r /home/web; mkdir /home/web; echo here >/home/web/fresh; echo kept >/data/kept",
    "rm -r /usr/share; ln -s /srv /usr/share",
  ];
  await world.ok(["exec", "-T", "web", "sh", "-c", script.join("; ")], { cwd });
  const id = (await world.ok(["commit", "-m", "as it is", "-a", "me", "web", "shop/tried:1"], { cwd })).trim();
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  assert.is((await inspect(world, "shop-web-1")).State.Status, "running");
  const [image] = JSON.parse(await world.ok(["image", "inspect", "shop/tried:1"]));
  assert.equal([image.Id, image.Author, image.RootFS.Layers.length], [id, "me", 2]);
  assert.match(await world.ok(["image", "history", "shop/tried:1"]), /as it is/);
  const look = [
    "stat -c '%a %u:%g %h %F' /srv/new; cat /srv/again; readlink /srv/link; stat -c '%F %t:%T' /srv/null; stat -c %F /srv/pipe; tail -n1 /etc/passwd",
    "ls /etc/os-release /data /run/secrets/word 2>&1; ls -A /home/web; readlink /usr/share; wc -c </etc/hostname",
  ];
  const after = await world.project("after", { "wharf.yaml": `services: { a: { image: "shop/tried:1", network_mode: none } }\n` });
  const seen = await world.ok(["run", "--rm", "-T", "a", "sh", "-c", look.join("; ")], { cwd: after });
  assert.equal(seen.trim().split("\n"), [
    ...["4750 1000:10 2 regular file", "new", "new", "character special file 1:3", "fifo", "more"],
    ...["ls: /etc/os-release: No such file or directory", "ls: /data: No such file or directory"],
    ...["ls: /run/secrets/word: No such file or directory", "fresh", "/srv", "13"],
  ]);
  // It travels: an archive of it is an image like any other, with nothing that it needs left behind.
  await world.ok(["image", "save", "-o", `${cwd}/tried.tar`, "shop/tried:1"], { cwd });
  await world.ok(["down", "-v"], { cwd });
  await world.ok(["image", "rm", "-f", "shop/tried:1", "tools:1"]);
  assert.match(await world.ok(["image", "load", "-i", `${cwd}/tried.tar`], { cwd }), /shop\/tried:1/);
  assert.is(await world.ok(["run", "--rm", "-T", "a", "cat", "/srv/new"], { cwd: after }), "new\n");
  assert.match(await world.ok(["image", "verify"]), /as it should be/);
  await world.ok(["down"], { cwd: after });
}

async function settings(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [
    `web: { image: "tools:1", command: [sh, -c, "echo $$A $$B"], environment: { A: "1", B: "2" }, labels: { team: blue }, user: web, working_dir: /srv, expose: ["80"] }`,
  ]);
  await world.ok(["create"], { cwd });
  const changes = [
    `ENV B=3 C="two words"`,
    `CMD ["sh", "-c", "echo $A $B $C; id -un; pwd"]`,
    "LABEL tried=yes",
    "EXPOSE 53/udp",
    "VOLUME /kept",
    "HEALTHCHECK --interval=1m --retries=2 CMD test -e /kept",
    `SHELL ["/bin/busybox", "ash", "-c"]`,
    "ENTRYPOINT exec env",
    `ENTRYPOINT []`,
    "ONBUILD RUN true",
    "ONBUILD ENV D=4",
  ];
  const id = (await world.ok(["commit", ...changes.flatMap((line) => ["-c", line]), "web"], { cwd })).trim();
  const [{ Config, RepoTags }] = JSON.parse(await world.ok(["image", "inspect", id]));
  assert.equal(RepoTags, []);
  assert.equal(Config.Env.slice(1), ["A=1", "B=3", "C=two words"]);
  assert.equal([Config.User, Config.WorkingDir, Config.Labels], ["web", "/srv", { team: "blue", tried: "yes" }]);
  assert.equal([Config.ExposedPorts, Config.Volumes], [{ "80/tcp": {}, "53/udp": {} }, { "/kept": {} }]);
  assert.equal(Config.Healthcheck, { Test: ["CMD-SHELL", "test -e /kept"], Interval: 60_000_000_000, Retries: 2 });
  assert.equal(
    [Config.Shell, Config.OnBuild],
    [
      ["/bin/busybox", "ash", "-c"],
      ["RUN true", "ENV D=4"],
    ],
  );
  await world.ok(["image", "tag", id, "tried"]);
  const after = await world.project("after", { "wharf.yaml": "services: { a: { image: tried, network_mode: none } }\n" });
  assert.is(await world.ok(["run", "--rm", "-T", "a"], { cwd: after }), "1 3 two words\nweb\n/srv\n");
  assert.match((await world.wharf(["commit", "-c", "RUN true", "web"], { cwd })).stderr, /E_USAGE[\s\S]*CMD, ENTRYPOINT/);
  assert.match((await world.wharf(["commit", "nope"], { cwd })).stderr, /E_NO_SUCH_CONTAINER/);
  await world.ok(["down"], { cwd: after });
  await world.ok(["down"], { cwd });
}
