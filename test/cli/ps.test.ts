import { suite } from "uvu";
import * as assert from "uvu/assert";
import { portsText, psEntry, statusText } from "../../src/cli/ps.ts";
import { container } from "../support/build.ts";

const NOW = Date.parse("2026-01-01T00:05:01Z");
const port = (target: number, published: number, host = "0.0.0.0") => ({ target, published, host, protocol: "tcp" as const });

const it = suite("ps");

it("ports that nobody published are listed, too, as Docker lists them, once each", () => {
  const exposed = [
    { port: 443, protocol: "tcp" },
    { port: 53, protocol: "udp" },
    { port: 3000, protocol: "tcp" },
  ] as const;
  const { Ports, Publishers } = psEntry(container({ ports: [port(3000, 8080)], exposed }), { now: NOW, whole: false });
  assert.is(Ports, "53/udp, 443/tcp, 0.0.0.0:8080->3000/tcp");
  assert.equal(Publishers, [
    { URL: "", TargetPort: 53, PublishedPort: 0, Protocol: "udp" },
    { URL: "", TargetPort: 443, PublishedPort: 0, Protocol: "tcp" },
    { URL: "0.0.0.0", TargetPort: 3000, PublishedPort: 8080, Protocol: "tcp" },
  ]);
});

it("an entry has Compose's keys, with labels and mounts as texts", () => {
  const entry = psEntry(
    container({
      argv: ["httpd", "-f"],
      labels: { a: "1", b: "2" },
      ports: [port(3000, 8080)],
      networks: [{ name: "shop_default", address: "10.0.0.2" }],
      volumes: [{ name: "shop_data", target: "/data", anonymous: false }],
      mounts: ["/srv"],
    }),
    { now: NOW, whole: false },
  );
  assert.equal(Object.keys(entry), [
    "ID",
    "Name",
    "Names",
    "Image",
    "Command",
    "Project",
    "Service",
    "State",
    "Status",
    "RunningFor",
    "Health",
    "ExitCode",
    "Publishers",
    "Ports",
    "CreatedAt",
    "Labels",
    "Mounts",
    "LocalVolumes",
    "Networks",
  ]);
  assert.is(
    JSON.stringify(entry).includes('"Labels":"a=1,b=2","Mounts":"shop_data,/srv","LocalVolumes":"1","Networks":"shop_default"'),
    true,
  );
  assert.is(
    JSON.stringify(entry).includes('"Publishers":[{"URL":"0.0.0.0","TargetPort":3000,"PublishedPort":8080,"Protocol":"tcp"}]'),
    true,
  );
});

it("states are told as Docker tells them", () => {
  const text = (given: Parameters<typeof container>[0]) => statusText(container(given), NOW);
  assert.is(text({ state: "running" }), "Up 5 minutes");
  assert.is(text({ state: "created" }), "Created");
  assert.is(text({ state: "exited", exitCode: 7, finishedAt: "2026-01-01T00:05:00Z" }), "Exited (7) 1 second ago");
  assert.is(text({ state: "paused" }), "Up 5 minutes (Paused)");
});

it("neighbouring ports are told as one range", () => {
  assert.is(
    portsText([port(3001, 8081), port(3000, 8080), port(53, 53, "127.0.0.1")]),
    "127.0.0.1:53->53/tcp, 0.0.0.0:8080-8081->3000-3001/tcp",
  );
  assert.is(portsText([]), "");
});

it.run();
