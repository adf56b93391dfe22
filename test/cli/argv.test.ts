import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commandLine, GLOBAL_FLAGS, PASSES_ON } from "../../src/cli/argv.ts";
import { GLOBAL } from "../../src/cli/global-flags.ts";
import { COMMANDS } from "../../src/commands/table.ts";
import { Failure } from "../../src/model/diagnostic.ts";

const IDS = Object.keys(COMMANDS);
const read = (text: string) =>
  commandLine(
    text.split(" ").filter((word) => word !== ""),
    IDS,
  );
const run = (id: string, ...argv: string[]) => ({ kind: "run", id, argv });

function failure(text: string): Failure {
  try {
    read(text);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
}

const it = suite("command lines");

it("global flags before the verb go behind it, in their long form", () => {
  assert.equal(read("-f x.yaml -p shop up -d"), run("up", "--file", "x.yaml", "--project-name", "shop", "-d"));
  assert.equal(read("-fx.yaml --profile=a --file=y up"), run("up", "--file", "x.yaml", "--profile", "a", "--file", "y"));
  assert.equal(read("-f - config"), run("config", "--file", "-"));
});

it("a short flag behind the verb is the command's own", () => {
  assert.equal(read("-f x logs -f web"), run("logs", "--file", "x", "-f", "web"));
  assert.equal(read("rm -f a b"), run("rm", "-f", "a", "b"));
});

it("commands of two words are found", () => {
  assert.equal(read("-p shop image ls nginx"), run("image:ls", "--project-name", "shop", "nginx"));
});

it("what follows the target of exec and run belongs to the program", () => {
  assert.equal(read("exec -it web ls --help -la"), run("exec", "-it", "--", "web", "ls", "--help", "-la"));
  assert.equal(
    read("exec -e A=1 -Tu root --index 2 web sh -c id"),
    run("exec", "-e", "A=1", "-Tu", "root", "--index", "2", "--", "web", "sh", "-c", "id"),
  );
  assert.equal(read("run --rm --entrypoint=sh -eA web -h"), run("run", "--rm", "--entrypoint=sh", "-eA", "--", "web", "-h"));
  assert.equal(read("exec web -- ls"), run("exec", "--", "web", "ls"));
  assert.equal(read("exec -- web ls"), run("exec", "--", "web", "ls"));
  assert.equal(read("exec web"), run("exec", "--", "web"));
});

it("help is asked for before or behind the verb", () => {
  assert.equal(read(""), { kind: "help", words: [] });
  assert.equal(read("--help"), { kind: "help", words: [] });
  assert.equal(read("help up"), { kind: "help", words: ["up"] });
  assert.equal(read("up -d --help"), { kind: "help", words: ["up"] });
  assert.equal(read("image"), { kind: "help", words: ["image"] });
  assert.equal(read("image --help"), { kind: "help", words: ["image"] });
  assert.equal(read("image ls -h"), { kind: "help", words: ["image", "ls"] });
  assert.equal(read("exec --help"), { kind: "help", words: ["exec"] });
  assert.equal(read("up -- --help"), run("up", "--", "--help"));
});

it("the version is asked for without a verb", () => {
  assert.equal(read("--version"), { kind: "version" });
  assert.equal(read("-v"), { kind: "version" });
});

it("an unknown command names the one that is near", () => {
  const { diagnostics } = failure("pss");
  assert.is(diagnostics[0]?.code, "E_UNKNOWN_COMMAND");
  assert.is(diagnostics[0]?.hint, "did you mean `ps`?");
  assert.is(failure("image lss").diagnostics[0]?.hint, "did you mean `image ls`?");
});

it("an unknown flag before the verb is refused, a value that is missing too", () => {
  assert.is(failure("--projekt-name x up").diagnostics[0]?.hint, "did you mean `--project-name`?");
  assert.is(failure("-d up").diagnostics[0]?.code, "E_UNKNOWN_FLAG");
  assert.is(failure("up-not -f").diagnostics[0]?.code, "E_UNKNOWN_COMMAND");
  assert.is(failure("-f").diagnostics[0]?.code, "E_USAGE");
});

it("the tables of flags agree with the commands' own definitions", async () => {
  assert.equal(
    Object.entries(GLOBAL_FLAGS).map(([name, { value }]) => [name, value]),
    Object.entries(GLOBAL).map(([name, { type }]) => [name, type === "option"]),
  );
  for (const [id, words] of Object.entries(PASSES_ON)) {
    const { flags } = (await (id === "exec" ? COMMANDS.exec() : COMMANDS.run())).default;
    const expected = Object.entries(flags).flatMap(([name, flag]) => {
      if (flag.type !== "option") return [];
      const aliases = "aliases" in flag && Array.isArray(flag.aliases) ? flag.aliases.map(String) : [];
      return [name, ...aliases, ...("char" in flag && typeof flag.char === "string" ? [flag.char] : [])];
    });
    assert.equal([...words].sort(), expected.sort(), id);
  }
});

it("no flag of a command means something else than a global one, and every command can be loaded", async () => {
  for (const [id, load] of Object.entries(COMMANDS)) {
    const { default: command } = await load();
    assert.ok(command.summary, `${id} has no summary`);
    assert.ok(command.examples.length > 0, `${id} has no example`);
    for (const name of Object.keys(command.flags ?? {})) assert.not.ok(name in GLOBAL_FLAGS, `${id} --${name}`);
  }
});

it.run();
