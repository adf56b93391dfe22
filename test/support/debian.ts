/**
 * Root file systems of Debian's packages with everything that they need: nothing in them comes from this machine. Nothing is installed.
 * They are made once and kept below `.tmp/` of the project.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ROOT } from "./sources.ts";
import { type TarEntry, tar } from "./tar.ts";

export interface DebianImage {
  readonly packages: readonly string[];
  /** A directory with one of a version in it, whose `bin` is to be found by a shell: `usr/lib/postgresql` for `usr/lib/postgresql/15/bin`. */
  readonly versioned?: string;
  /** Added last: users and directories that a package would make when it is installed. */
  readonly entries?: readonly TarEntry[];
}

/** Paths of tars by name, or why they cannot be had. */
export type DebianImages<Name extends string> =
  | { readonly paths: Readonly<Record<Name, string>>; readonly reason: null }
  | { readonly reason: string };

/** Where tars are kept, the newest of each name; emptied by hand when newer packages are wanted. */
const KEPT = join(ROOT, ".tmp", "debian");

/** Big, and only for what these programs are not asked to do: compiling queries, texts in languages, scripts of an installation. */
const LEFT_OUT = /^(libllvm|libz3|locales|libc-l10n|libperl|perl|dpkg_|udev|systemd)/;

/** Merged directories as in any Debian of today; packages have files in both. */
const MERGED = ["bin", "sbin", "lib", "lib64"];

const UNPACK = `set -e
root=$1; shift
for deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$root"; done`;

/** Also of no use to programs in a test. */
const NO_FILES = ["share/doc", "share/man", "share/info", "share/locale", "share/lintian", "share/bug", "lib/postgresql/*/lib/bitcode"].map(
  (name) => `--exclude=./usr/${name}/*`,
);

/** `say` is called before packages are fetched, which may take a minute. */
export function debianImages<Name extends string>(
  images: Readonly<Record<Name, DebianImage>>,
  say: (text: string) => void,
): DebianImages<Name> {
  const paths = Object.fromEntries(Object.entries<DebianImage>(images).map(([name, image]) => [name, keptAt(name, image)])) as Record<
    Name,
    string
  >;
  const missing = Object.entries<DebianImage>(images).filter(([name]) => !existsSync(paths[name as Name]));
  if (missing.length === 0) return { paths, reason: null };
  mkdirSync(KEPT, { recursive: true });
  const place = mkdtempSync(join(KEPT, ".making-"));
  try {
    say(`fetching Debian's packages for ${missing.map(([name]) => name).join(", ")} into .tmp/debian (nothing is installed)`);
    const wanted = missing.map(([, { packages }]) => packages);
    const debs = refreshing(place, (apt) => fetchPackages(wanted, { place, apt }));
    for (const [index, [name, image]] of missing.entries()) make(image, { place, debs: debs[index] ?? [], path: paths[name as Name] });
    return { paths, reason: null };
  } catch (error) {
    const reason = failure(error);
    if (reason === null) throw error;
    return { reason };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Another system's packages, or another description, is another image. */
function keptAt(name: string, image: DebianImage): string {
  const system = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const key = createHash("sha256")
    .update(JSON.stringify([image, process.arch, system, LEFT_OUT.source, NO_FILES]))
    .digest("hex");
  return join(KEPT, `${name}-${key.slice(0, 12)}.tar`);
}

/** Runs apt with this machine's lists, and if these are missing or too old with newer ones of its own. */
function refreshing<T>(place: string, act: (apt: Apt) => T): T {
  const cache = join(place, "cache");
  mkdirSync(cache);
  const base = ["-o", "Dir::State::status=/dev/null", "-o", `Dir::Cache=${cache}`, "-o", "Debug::NoLocking=1", "-qq"];
  const apt =
    (options: readonly string[]): Apt =>
    (args, timeoutMs) =>
      execFileSync("apt-get", [...base, ...options, ...args], {
        cwd: place,
        encoding: "utf8",
        timeout: timeoutMs,
        stdio: ["ignore", "pipe", "pipe"],
      });
  try {
    return act(apt([]));
  } catch (error) {
    if (!(error instanceof Error && "status" in error && typeof error.status === "number")) throw error;
  }
  const lists = join(place, "lists");
  mkdirSync(join(lists, "partial"), { recursive: true });
  const own = apt(["-o", `Dir::State::lists=${lists}`]);
  own(["update"], 90_000);
  return act(own);
}

type Apt = (args: readonly string[], timeoutMs: number) => string;

/** Paths of the packages that each of these lists needs, itself included. */
function fetchPackages(
  wanted: readonly (readonly string[])[],
  { place, apt }: { place: string; apt: Apt },
): readonly (readonly string[])[] {
  const lists = wanted.map((packages) =>
    apt(["install", "--print-uris", "--yes", "--no-install-recommends", ...packages], 60_000)
      .split("\n")
      .flatMap((line) => /^'\S+' (\S+\.deb) /.exec(line)?.[1] ?? [])
      .filter((file) => !LEFT_OUT.test(file)),
  );
  const names = [...new Set(lists.flat())].map((file) => {
    const [name, version] = file.split("_");
    return `${name}=${decodeURIComponent(version ?? "")}`;
  });
  apt(["download", ...names], 150_000);
  return lists.map((files) => files.map((file) => join(place, file)));
}

function make(image: DebianImage, { place, debs, path }: { place: string; debs: readonly string[]; path: string }): void {
  const root = mkdtempSync(join(place, "root-"));
  for (const name of MERGED) {
    mkdirSync(join(root, "usr", name), { recursive: true });
    symlinkSync(`usr/${name}`, join(root, name));
  }
  execFileSync("sh", ["-c", UNPACK, "sh", root, ...debs], { stdio: ["ignore", "ignore", "pipe"] });
  if (image.versioned !== undefined) link(root, image.versioned);
  const made = join(place, "made.tar");
  execFileSync("tar", ["-C", root, "--owner=0", "--group=0", "--numeric-owner", ...NO_FILES, "-cf", made, "."]);
  if (image.entries !== undefined) {
    const added = join(place, "added.tar");
    writeFileSync(added, tar(image.entries));
    execFileSync("tar", ["--concatenate", "-f", made, added]);
  }
  const [name] = basename(path).split("-");
  for (const old of readdirSync(KEPT)) if (old.startsWith(`${name}-`)) rmSync(join(KEPT, old));
  renameSync(made, path);
  rmSync(root, { recursive: true });
}

/** Debian's own commands for these are Perl, which chooses among versions and clusters. */
function link(root: string, versioned: string): void {
  mkdirSync(join(root, "usr/local/bin"), { recursive: true });
  for (const version of readdirSync(join(root, versioned)))
    for (const program of readdirSync(join(root, versioned, version, "bin")))
      symlinkSync(`/${versioned}/${version}/bin/${program}`, join(root, "usr/local/bin", program));
}

/** What a program said when it failed, or that it is not there; `null` for an error of this file. */
function failure(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ("code" in error && error.code === "ENOENT" && "path" in error && !String(error.path).includes("/"))
    return `there is no ${String(error.path)}`;
  if ("code" in error && error.code === "ETIMEDOUT") return "Debian's packages take too long to come";
  if (!("stderr" in error)) return null;
  const said = String(error.stderr)
    .trim()
    .split("\n")
    .filter((line) => line.startsWith("E:"));
  return `Debian's packages cannot be had: ${said.at(-1) ?? error.message}`;
}
