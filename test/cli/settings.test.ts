import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Environment, type GlobalFlags, settingsOf } from "../../src/cli/settings.ts";
import { Failure } from "../../src/model/diagnostic.ts";

const settings = (env: Environment, flags: GlobalFlags = {}, given: { readonly root?: boolean; readonly terminal?: boolean } = {}) =>
  settingsOf(flags, {
    env,
    cwd: "/srv",
    root: given.root ?? false,
    stdin: false,
    stdout: given.terminal ?? false,
    stderr: given.terminal ?? false,
  });

const it = suite("settings");

it("a flag wins over WHARF_*, and that over COMPOSE_*", () => {
  const env = { WHARF_PROJECT_NAME: "b", COMPOSE_PROJECT_NAME: "c", WHARF_FILE: "w.yaml", COMPOSE_FILE: "c.yaml" };
  assert.is(settings(env, { "project-name": "a", file: ["f.yaml"] }).projectName, "a");
  assert.equal(settings(env, { file: ["f.yaml"] }).files, ["f.yaml"]);
  assert.is(settings(env).projectName, "b");
  assert.equal(settings(env).files, ["w.yaml"]);
  assert.is(settings({ COMPOSE_PROJECT_NAME: "c" }).projectName, "c");
});

it("lists in variables are split as Compose splits them", () => {
  assert.equal(settings({ COMPOSE_FILE: "a.yaml:b.yaml" }).files, ["a.yaml", "b.yaml"]);
  assert.equal(settings({ COMPOSE_FILE: "a.yaml;b.yaml", COMPOSE_PATH_SEPARATOR: ";" }).files, ["a.yaml", "b.yaml"]);
  assert.equal(settings({ COMPOSE_PROFILES: "x,y" }).profiles, ["x", "y"]);
  assert.is(settings({ COMPOSE_FILE: "" }).files, null);
});

it("directories are the system's for root and the user's own for others", () => {
  assert.equal(
    [settings({}, {}, { root: true })].map(({ root, run }) => [root, run]),
    [["/var/lib/wharf", "/run/wharf"]],
  );
  const user = settings({ HOME: "/home/u", XDG_RUNTIME_DIR: "/run/user/7" });
  assert.equal([user.root, user.run], ["/home/u/.local/share/wharf", "/run/user/7/wharf"]);
  const own = settings({ WHARF_ROOT: "/a", WHARF_RUN: "/b" }, {}, { root: true });
  assert.equal([own.root, own.run], ["/a", "/b"]);
});

it("progress is drawn on terminals only, never in CI nor on a dumb one", () => {
  const kind = (env: Environment, flags: GlobalFlags = {}, terminal = true) => settings(env, flags, { terminal }).progress;
  assert.is(kind({ TERM: "xterm" }), "tty");
  assert.is(kind({ TERM: "xterm" }, {}, false), "plain");
  assert.is(kind({ TERM: "dumb" }), "plain");
  assert.is(kind({ TERM: "xterm", CI: "1" }), "plain");
  assert.is(kind({ WHARF_PROGRESS: "json" }), "json");
  assert.is(kind({ WHARF_PROGRESS: "json" }, { progress: "quiet" }), "quiet");
});

it("colour follows the flag, then NO_COLOR, then FORCE_COLOR, then the terminal", () => {
  const colour = (env: Environment, flags: GlobalFlags = {}, terminal = true) => settings(env, flags, { terminal }).colour.stdout;
  assert.is(colour({ TERM: "xterm" }), true);
  assert.is(colour({ TERM: "dumb" }), false);
  assert.is(colour({ TERM: "xterm" }, {}, false), false);
  assert.is(colour({ TERM: "xterm", NO_COLOR: "1" }), false);
  assert.is(colour({ TERM: "xterm", NO_COLOR: "" }), true);
  assert.is(colour({ FORCE_COLOR: "1" }, {}, false), true);
  assert.is(colour({ FORCE_COLOR: "0", TERM: "xterm" }), false);
  assert.is(colour({ NO_COLOR: "1" }, { color: "always" }), true);
  assert.is(colour({ FORCE_COLOR: "1" }, { color: "never" }), false);
});

it("a value that is not allowed is refused by name, with the one that is near", () => {
  for (const [flags, hint] of [
    [{ progress: "plan" }, "did you mean `plain`?"],
    [{ engine: "oc" }, "did you mean `oci`?"],
    [{ color: "alway" }, "did you mean `always`?"],
  ] as const) {
    assert.throws(
      () => settings({}, flags),
      (error: unknown) => error instanceof Failure && error.diagnostics[0]?.code === "E_USAGE" && error.diagnostics[0].hint === hint,
    );
  }
});

it("registries without TLS come from flags, else from a list, and are checked", () => {
  assert.equal(settings({ WHARF_INSECURE_REGISTRIES: "a:5000,10.0.0.0/8" }).insecureRegistries, ["a:5000", "10.0.0.0/8"]);
  assert.equal(settings({ WHARF_INSECURE_REGISTRIES: "a" }, { "insecure-registry": ["b"] }).insecureRegistries, ["b"]);
  assert.throws(() => settings({ WHARF_INSECURE_REGISTRIES: "http://a" }), /"http:\/\/a" is not a registry/);
});

it("mirrors come from a list, in its order, and are checked", () => {
  assert.equal(
    settings({ WHARF_REGISTRY_MIRRORS: "docker.io=a:1,docker.io=http://b" }).registryMirrors.map(({ host }) => host),
    ["a:1", "b"],
  );
  assert.equal(settings({}).registryMirrors, []);
  assert.throws(() => settings({ WHARF_REGISTRY_MIRRORS: "https://a" }), /WHARF_REGISTRY_MIRRORS: "https:\/\/a" is not a mirror/);
});

it.run();
