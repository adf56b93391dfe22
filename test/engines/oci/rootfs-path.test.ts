import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { findExecutable } from "../../../src/engines/oci/executable.ts";
import { ensureDirectoryInside, ensureFileInside, readInside, resolveInside, statInside } from "../../../src/engines/oci/rootfs-path.ts";
import { Failure } from "../../../src/model/diagnostic.ts";

interface Ground {
  top: string;
  root: string;
}

const it = suite<Ground>("paths inside a root file system");
const mine = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

it.before.each((ground) => {
  ground.top = mkdtempSync(join(tmpdir(), "wharf-paths-"));
  ground.root = join(ground.top, "root");
  mkdirSync(join(ground.root, "etc"), { recursive: true });
  mkdirSync(join(ground.root, "bin"));
  writeFileSync(join(ground.root, "etc/passwd"), "root:x:0:0::/root:\n");
  writeFileSync(join(ground.top, "outside"), "not yours\n");
});

it.after.each(({ top }) => rmSync(top, { recursive: true, force: true }));

it("`..` stops at the root", ({ root }) => {
  assert.is(resolveInside(root, "/../../etc/./x/../passwd").path, join(root, "etc/passwd"));
  assert.is(resolveInside(root, "/../..").path, root);
});

it("an absolute link starts at the root of the container, a relative one where it lies", ({ root }) => {
  symlinkSync("/etc", join(root, "abs"));
  symlinkSync("../etc/passwd", join(root, "bin/rel"));
  assert.is(resolveInside(root, "abs/passwd").inside, "/etc/passwd");
  assert.is(resolveInside(root, "bin/rel").path, join(root, "etc/passwd"));
});

it("links out of the root, also one through another, end inside it", ({ root, top }) => {
  symlinkSync("../../../outside", join(root, "etc/out"));
  symlinkSync(join(top, "outside"), join(root, "etc/abs"));
  symlinkSync("..", join(root, "up"));
  for (const path of ["etc/out", "etc/abs", "up/outside", "up/up/up/outside"]) {
    const { path: host, stats } = resolveInside(root, path);
    assert.ok(host.startsWith(`${root}/`), host);
    assert.is(stats, null, path);
  }
});

it("what is missing is nothing, below a file or below nothing too", ({ root }) => {
  assert.equal(resolveInside(root, "/no/such"), { path: join(root, "no/such"), inside: "/no/such", stats: null });
  assert.is(statInside(root, "/etc/passwd/below"), null);
  assert.is(statInside(root, "x".repeat(300)), null);
  assert.is(statInside(root, "a\0b"), null);
});

it("a circle of links is an error, not an endless loop", ({ root }) => {
  symlinkSync("two", join(root, "one"));
  symlinkSync("one", join(root, "two"));
  symlinkSync("deeper/deeper", join(root, "deeper"));
  for (const path of ["one", "deeper"])
    assert.is(
      failureOf(() => resolveInside(root, path)),
      "E_ROOTFS_PATH",
    );
});

it("only a regular file of a bounded size is read", ({ root }) => {
  execFileSync("mkfifo", [join(root, "etc/group")]);
  assert.is(readInside(root, "/etc/passwd", { limit: 100 }), "root:x:0:0::/root:\n");
  assert.is(readInside(root, "/etc/group", { limit: 100 }), null);
  assert.is(readInside(root, "/etc", { limit: 100 }), null);
  assert.is(readInside(root, "/etc/shadow", { limit: 100 }), null);
  assert.is(
    failureOf(() => readInside(root, "/etc/passwd", { limit: 18 })),
    "E_ROOTFS_PATH",
  );
});

it("a mount hides what lies under it and shows its source, a file's and a directory's", ({ root, top }) => {
  const other = join(top, "other");
  mkdirSync(other);
  writeFileSync(join(other, "passwd"), "other\n");
  symlinkSync("/etc/passwd", join(other, "link"));
  const read = (path: string, covers: readonly { target: string; source: string }[]): string | null =>
    readInside(root, path, { covers, limit: 100 });
  assert.is(read("/etc/passwd", [{ target: "/etc", source: other }]), "other\n");
  assert.is(read("/etc/passwd", [{ target: "/etc/passwd", source: join(top, "outside") }]), "not yours\n");
  assert.is(read("/data/link", [{ target: "/data", source: other }]), "root:x:0:0::/root:\n");
  assert.is(read("/etc/passwd", [{ target: "/etc", source: "" }]), null);
});

it("mounts lie where their targets' links lead, the shallow ones below the deep", ({ root, top }) => {
  symlinkSync("etc", join(root, "conf"));
  const covers = [
    { target: "/conf/passwd", source: join(top, "outside") },
    { target: "/etc", source: "" },
  ];
  assert.is(readInside(root, "/etc/passwd", { covers, limit: 100 }), "not yours\n");
});

it("directories are made inside, with the mode asked for, and what exists keeps its own", ({ root, top }) => {
  symlinkSync("../../..", join(root, "away"));
  chmodSync(join(root, "etc"), 0o700);
  const made = ensureDirectoryInside(root, "/away/etc/app/data", { mode: 0o750, ...mine });
  assert.is(made, join(root, "etc/app/data"));
  assert.is(lstatSync(made).mode & 0o777, 0o750);
  assert.is(lstatSync(join(root, "etc")).mode & 0o777, 0o700);
  assert.equal(readdirSync(top).sort(), ["outside", "root"]);
  assert.is(
    failureOf(() => ensureDirectoryInside(root, "/etc/passwd/x", { mode: 0o755, ...mine })),
    "E_ROOTFS_PATH",
  );
});

it("a file to mount over is made where its links lead, and what exists is left as it is", ({ root, top }) => {
  symlinkSync("../../../made", join(root, "etc/dangling"));
  assert.is(ensureFileInside(root, "/etc/dangling", { mode: 0o644, ...mine }), join(root, "made"));
  assert.not(existsSync(join(top, "made")));
  assert.is(ensureFileInside(root, "/etc/passwd", { mode: 0o600, ...mine }), join(root, "etc/passwd"));
  assert.is(readInside(root, "/etc/passwd", { limit: 100 }), "root:x:0:0::/root:\n");
  assert.is(
    failureOf(() => ensureFileInside(root, "/bin", { mode: 0o644, ...mine })),
    "E_ROOTFS_PATH",
  );
});

it("a program is found along PATH, by its path, from the working directory, through links and in mounts", ({ root, top }) => {
  program(join(root, "bin/tool"));
  symlinkSync("/bin/tool", join(root, "bin/alias"));
  mkdirSync(join(top, "app"));
  program(join(top, "app/run.sh"));
  const find = (name: string, cwd = "/"): string =>
    findExecutable(root, name, { path: "/usr/bin:/bin", cwd, covers: [{ target: "/app", source: join(top, "app") }] });
  for (const [name, cwd] of [["tool"], ["alias"], ["/bin/tool"], ["./tool", "/bin"], ["/app/run.sh"], ["./run.sh", "/app"]] as const)
    assert.is(find(name, cwd), "found", name);
  for (const name of ["missing", "/bin/missing", "./tool", "", "bin"]) assert.is(find(name), "not-found", name);
});

it("a file that may not be executed, and a directory, are no programs", ({ root }) => {
  writeFileSync(join(root, "bin/data"), "");
  const find = (name: string): string => findExecutable(root, name, { path: "/bin", cwd: "/" });
  assert.equal([find("data"), find("/bin/data"), find("/bin")], ["not-executable", "not-executable", "not-executable"]);
});

function program(path: string): void {
  writeFileSync(path, "#!/bin/sh\n");
  chmodSync(path, 0o755);
}

function failureOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error.diagnostics[0]?.code;
    throw error;
  }
}

it.run();
