import { suite } from "uvu";
import * as assert from "uvu/assert";
import { splitWords } from "../../src/lib/shell-words.ts";
import { fromDockerRun } from "../../src/spec/docker-run.ts";
import { yamlText } from "../../src/spec/yaml-text.ts";
import { loadFiles } from "./support.ts";

const it = suite("specs from docker run");

/** The service of a line, as the loader understands it. */
async function service(line: string) {
  const { config } = await loadFiles({ "/p/shop/wharf.yaml": yamlText(fromDockerRun(splitWords(line) ?? [])), "/p/shop/a.env": "E=1\n" });
  const [found] = Object.entries((config as { services: Record<string, Record<string, unknown>> }).services);
  return { name: found?.[0], ...found?.[1] } as Record<string, unknown>;
}

it("a line with the usual flags becomes a service that means the same", async () => {
  const web = await service(
    "docker run -d --rm -it --name web -p 8080:80 -p 443:443/tcp -v data:/data -v ./a:/a:ro -e A=1 -eB=2 --env-file a.env --restart unless-stopped -m 512m --cpus=0.5 --network back --network-alias w nginx:1.27 nginx -g 'daemon off;'",
  );
  assert.is(web["name"], "web");
  assert.equal(web["command"], ["nginx", "-g", "daemon off;"]);
  assert.equal(web["environment"], { A: "1", B: "2", E: "1" });
  assert.equal(web["networks"], { back: { aliases: ["w"] } });
  assert.equal([web["mem_limit"], web["cpus"], web["restart"], web["tty"]], ["536870912", 0.5, "unless-stopped", true]);
  assert.is((web["volumes"] as unknown[]).length, 2);
});

it("flags with a form of their own get Compose's", async () => {
  const found = await service(
    "docker run --net=host --mount type=bind,src=/x,dst=/y,readonly --health-cmd 'curl -f x' --health-interval=5s --ulimit nofile=1:2 --log-opt max-size=1m --gpus all --stop-timeout 3 --entrypoint sh --read-only=false registry.example:5000/team/app@sha256:abc",
  );
  assert.is(found["name"], "app");
  assert.equal(found["volumes"], [{ type: "bind", source: "/x", target: "/y", read_only: true }]);
  assert.equal(found["healthcheck"], { test: ["CMD-SHELL", "curl -f x"], interval: "5s" });
  assert.equal([found["network_mode"], found["ulimits"], found["stop_grace_period"]], ["host", { nofile: { soft: 1, hard: 2 } }, "3s"]);
  assert.equal([found["logging"], found["gpus"], found["entrypoint"]], [{ options: { "max-size": "1m" } }, [{ count: -1 }], ["sh"]]);
});

it("what has no place in a spec is said, with what may be meant", () => {
  const failure = (line: string) => {
    try {
      fromDockerRun(line.split(" "));
    } catch (error) {
      return (error as Error).message;
    }
    return null;
  };
  assert.match(failure("docker run --publsh 80 x") ?? "", /`--publsh` of `docker run` has no place in a spec/);
  assert.match(failure("docker run -d") ?? "", /no image/);
  assert.match(failure("docker ps") ?? "", /must begin with `docker run`/);
  assert.match(failure("docker run -p") ?? "", /`-p` needs a value/);
});

it.run();
