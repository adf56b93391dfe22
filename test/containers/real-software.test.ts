/** A project of real software: PostgreSQL, Redis, nginx and a Node service, with health, volumes, configs and secrets. Data outlives `down`. */
import * as assert from "uvu/assert";
import { inspect, ps } from "../support/listings.ts";
import { freePort } from "../support/registry.ts";
import { shopImages } from "../support/shop-images.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const NAMES = ["postgres", "redis", "nginx", "node"] as const;
const images: Partial<Record<(typeof NAMES)[number], string>> = {};
const it = containerSuite("real software", () => {
  const found = shopImages((text) => console.log(`real software: ${text}`));
  if (found.reason === null) Object.assign(images, found.paths);
  return found.reason;
});

it("a page is served by nginx of a service that counts in PostgreSQL and Redis, and all counts outlive down and up", inWorld(counting));

it.run();

async function counting(world: World): Promise<void> {
  for (const name of NAMES) await world.ok(["image", "import", images[name] ?? "", `${name}:1`, "--env", `PATH=${PATH}`]);
  const port = await freePort();
  const cwd = await world.project("shop", {
    "wharf.yaml": SPEC,
    "api.mjs": API,
    "nginx.conf": NGINX,
    "db-password.txt": "a long and secret password",
  });
  const env = { REDIS_CONF: "requirepass another-secret\n", PORT: String(port) };
  const up = () => world.ok(["up", "-d", "--wait"], { cwd, env });
  const page = async () => (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })).text();

  await up();
  const listed = await ps(world, [], { cwd, env });
  assert.equal(listed.map(({ Service, Health }) => `${Service} ${Health}`).sort(), [
    "api healthy",
    "cache healthy",
    "db healthy",
    "web healthy",
  ]);
  assert.is(await page(), "visits 1, hits 1\n", "all of them answer at the first request");
  assert.is(await page(), "visits 2, hits 2\n");
  assert.is(await world.ok(["exec", "-T", "db", "stat", "-c", "%a %u:%g", "/var/lib/postgresql/data"], { cwd, env }), "700 999:999\n");
  await eachAfterWhatItNeeds(world);

  await world.ok(["restart", "-t", "10", "db", "cache"], { cwd, env });
  await up();
  assert.is(await page(), "visits 3, hits 3\n");
  await world.ok(["down"], { cwd, env });
  await up();
  assert.is(await page(), "visits 4, hits 4\n");
  await world.ok(["down", "-v"], { cwd, env });
  await up();
  assert.is(await page(), "visits 1, hits 1\n");
  await world.ok(["down", "-v"], { cwd, env });
}

/** Nobody starts before the first good word about what it depends on. */
async function eachAfterWhatItNeeds(world: World): Promise<void> {
  for (const [service, needed] of [
    ["web", "api"],
    ["api", "db"],
    ["api", "cache"],
  ]) {
    const { Log: log = [] } = (await inspect(world, `shop-${needed}-1`)).State.Health ?? {};
    const well = log.find(({ ExitCode }) => ExitCode === 0);
    const started = (await inspect(world, `shop-${service}-1`)).State.StartedAt;
    assert.ok(Date.parse(started) >= Date.parse(well?.End ?? ""), `${service} started at ${started}, ${needed} was well at ${well?.End}`);
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
    ports: ["127.0.0.1:$PORT:80"]
    depends_on: { api: { condition: service_healthy } }
    healthcheck: { interval: 2s }
    x-wharf: { healthcheck: { http: 80/health } }
  api:
    image: "node:1"
    user: "1000"
    command: [node, /app/api.mjs]
    init: false
    configs: [{ source: api, target: /app/api.mjs }]
    secrets: [{ source: db_password, uid: "1000", mode: 0400 }, redis_conf]
    depends_on:
      db: { condition: service_healthy, restart: true }
      cache: { condition: service_healthy }
    healthcheck: { interval: 2s, retries: 5 }
    x-wharf: { healthcheck: { http: 3000/health } }
  db:
    image: "postgres:1"
    user: "999:999"
    command: [sh, /run/start.sh]
    stop_signal: SIGINT
    healthcheck: { test: [CMD, pg_isready, -q, -h, 127.0.0.1, -U, shop], interval: 2s, timeout: 5s, retries: 20, start_period: 60s }
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
    healthcheck:
      test: 'read -r _ password < /run/secrets/redis_conf; [ "$$(REDISCLI_AUTH=$$password redis-cli ping)" = PONG ]'
      interval: 2s
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
      exec postgres -D $$data -c jit=off -c listen_addresses='*' -c hba_file=/var/run/postgresql/hba.conf
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
createServer((request, response) => {
  if (request.url === "/health") return response.end("well\\n");
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

const PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
