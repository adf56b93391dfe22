/** A project of real software: PostgreSQL, Redis, nginx and a Node service, with volumes, configs and secrets. Data outlives `down`. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { programRootfs } from "../support/programs.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("real software");

const BIN = newest("/usr/lib/postgresql");
it("a page is served by nginx of a service that counts in PostgreSQL and Redis, and all counts outlive down and up", inWorld(counting));

it.run();

async function counting(world: World): Promise<void> {
  const made = BIN === null ? null : makeImages(BIN);
  if (made === null) {
    console.log("real software: not run, PostgreSQL is not installed, or Redis and nginx cannot be had with apt-get download");
    return;
  }
  for (const [name, input] of Object.entries(made))
    await world.ok(["image", "import", "-", `${name}:1`, "--env", `PATH=${PATH}`], { input });
  const cwd = await world.project("shop", {
    "wharf.yaml": SPEC,
    "api.mjs": API,
    "nginx.conf": NGINX,
    "db-password.txt": "a long and secret password",
  });
  const env = { REDIS_CONF: "requirepass another-secret\n" };
  await world.ok(["up", "-d"], { cwd, env });
  assert.is(await page(world, cwd), "visits 1, hits 1\n");
  assert.is(await page(world, cwd), "visits 2, hits 2\n");
  assert.is(await world.ok(["exec", "-T", "db", "stat", "-c", "%a %u:%g", "/var/lib/postgresql/data"], { cwd }), "700 999:999\n");
  await world.ok(["restart", "-t", "10", "db", "cache"], { cwd });
  assert.is(await page(world, cwd), "visits 3, hits 3\n");
  await world.ok(["down"], { cwd });
  await world.ok(["up", "-d"], { cwd, env });
  assert.is(await page(world, cwd), "visits 4, hits 4\n");
  await world.ok(["down", "-v"], { cwd });
  await world.ok(["up", "-d"], { cwd, env });
  assert.is(await page(world, cwd), "visits 1, hits 1\n");
  await world.ok(["down", "-v"], { cwd });
}

/** What nginx gives once all of them answer. */
async function page(world: World, cwd: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    const { status, stdout } = await world.wharf(["exec", "-T", "web", "wget", "-q", "-O", "-", "http://127.0.0.1/"], { cwd });
    if (status === 0) return stdout;
    if (tries > 100) throw new Error(`no page: ${(await world.wharf(["logs"], { cwd })).stdout.slice(-3000)}`);
    await sleep(200);
  }
}

const SPEC = `name: shop
services:
  web:
    image: "nginx:1"
    command: [nginx, -c, /etc/nginx.conf]
    read_only: true
    tmpfs: [/tmp, /run]
    configs: [{ source: nginx, target: /etc/nginx.conf }]
    depends_on: [api]
  api:
    image: "node:1"
    user: "1000"
    command: [node, /app/api.mjs]
    init: false
    configs: [{ source: api, target: /app/api.mjs }]
    secrets: [{ source: db_password, uid: "1000", mode: 0400 }, redis_conf]
    depends_on: [db, cache]
  db:
    image: "postgres:1"
    user: "999:999"
    command: [sh, /run/start.sh]
    stop_signal: SIGINT
    configs: [{ source: start, target: /run/start.sh }]
    secrets: [{ source: db_password, uid: "999", mode: 0400 }]
    volumes: ["db:/var/lib/postgresql/data"]
    tmpfs: ["/var/run/postgresql:uid=999"]
  cache:
    image: "redis:1"
    user: "999:999"
    command: [redis-server, /run/secrets/redis_conf, --dir, /data, --appendonly, "yes", --appendfsync, always, --protected-mode, "no"]
    secrets: [redis_conf]
    volumes: ["cache:/data"]
volumes: { db: , cache: }
configs:
  nginx: { file: ./nginx.conf }
  api: { file: ./api.mjs }
  start:
    content: |
      set -e
      data=/var/lib/postgresql/data
      [ -s $$data/PG_VERSION ] || initdb -D $$data -U shop -A scram-sha-256 --pwfile=/run/secrets/db_password --no-locale -E UTF8
      echo "host all all all scram-sha-256" > /var/run/postgresql/hba.conf
      exec postgres -D $$data -c listen_addresses='*' -c hba_file=/var/run/postgresql/hba.conf
secrets:
  db_password: { file: ./db-password.txt }
  redis_conf: { environment: REDIS_CONF }
`;

const NGINX = `user nobody nogroup;
worker_processes 1;
daemon off;
pid /run/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c; uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e;
  server {
    listen 80;
    location / { proxy_pass http://api:3000; }
  }
}
`;

const API = `import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { promisify } from "node:util";

const run = promisify(execFile);
const PGPASSWORD = readFileSync("/run/secrets/db_password", "utf8");
const [, password] = readFileSync("/run/secrets/redis_conf", "utf8").trim().split(" ");

async function visit() {
  const sql = "create table if not exists visits (n serial); insert into visits default values; select count(*) from visits";
  const env = { ...process.env, PGPASSWORD, PGCONNECT_TIMEOUT: "2" };
  const { stdout } = await run("psql", ["-h", "db", "-U", "shop", "-d", "postgres", "-qAtc", sql], { env });
  return stdout.trim().split("\\n").at(-1);
}

function hit() {
  return new Promise((resolve, reject) => {
    const socket = connect(6379, "cache", () => socket.write(\`AUTH \${password}\\r\\nINCR hits\\r\\n\`));
    let text = "";
    socket.on("error", reject).on("data", (chunk) => {
      text += chunk;
      const [, count] = /:(\\d+)\\r\\n/.exec(text) ?? [];
      if (count !== undefined) resolve(count);
      else if (text.startsWith("-")) reject(new Error(text));
      else return;
      socket.destroy();
    });
  });
}

let counting = Promise.resolve();
createServer((_, response) => {
  counting = counting.then(async () => {
    try {
      await run("psql", ["-h", "db", "-U", "shop", "-d", "postgres", "-c", "select 1"], { env: { ...process.env, PGPASSWORD } });
      const hits = await hit();
      response.end(\`visits \${await visit()}, hits \${hits}\\n\`);
    } catch (error) {
      console.error(error.message);
      response.writeHead(503).end();
    }
  });
}).listen(3000);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
`;

const PATH = `${BIN ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin`;

/** An image each, by name; `null` where a program cannot be had. */
function makeImages(bin: string): Readonly<Record<string, Buffer>> | null {
  const share = bin.replace("/usr/lib", "/usr/share").replace("/bin", "");
  const users = {
    path: "etc/passwd",
    content: "root:x:0:0::/root:/bin/sh\nsvc:x:999:999::/:/bin/sh\nnode:x:1000:1000::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
  };
  const owned = (path: string) => ({ path, type: "directory", mode: 0o700, uid: 999, gid: 999 }) as const;
  const zones = ["/usr/share/zoneinfo/UTC", "/usr/share/zoneinfo/Etc/UTC", "/usr/share/zoneinfo/GMT"];
  const lib = bin.replace(/bin$/, "lib");
  const postgres = programRootfs({
    files: [...zones, join(bin, "postgres"), join(bin, "initdb"), join(lib, "plpgsql.so"), join(lib, "dict_snowball.so")],
    trees: [share],
    entries: [
      users,
      { path: "var/lib/postgresql/", type: "directory" },
      owned("var/lib/postgresql/data/"),
      { path: "var/run/postgresql/", type: "directory" },
    ],
  });
  const node = programRootfs({ files: [process.execPath, join(bin, "psql")], entries: [users] });
  const redis = programRootfs({ packages: ["redis-server", "redis-tools", "libjemalloc2", "liblzf1"], entries: [users, owned("data/")] });
  const nginx = programRootfs({
    packages: ["nginx"],
    entries: [
      { path: "var/log/nginx/", type: "directory" },
      { path: "var/lib/nginx/", type: "directory" },
    ],
  });
  return postgres === null || node === null || redis === null || nginx === null ? null : { postgres, node, redis, nginx };
}

/** The directory of programs of the newest version below this one. */
function newest(directory: string): string | null {
  try {
    const versions = readdirSync(directory).sort((a, b) => Number(a) - Number(b));
    const bin = join(directory, versions.at(-1) ?? "", "bin");
    return readFileSync(join(bin, "postgres")).length > 0 ? bin : null;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
