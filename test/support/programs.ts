/** Root file systems with real programs: those of this machine, or of Debian packages, with the libraries that they need. */
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { busyboxRootfs } from "./rootfs.ts";
import type { TarEntry } from "./tar.ts";

export interface Programs {
  /** Files of this machine, where they are; what is not there is passed over. */
  readonly files?: readonly string[];
  /** Directories of this machine with all that is in them. */
  readonly trees?: readonly string[];
  /** Debian packages: what they hold goes where they have it. */
  readonly packages?: readonly string[];
  readonly entries?: readonly TarEntry[];
}

/** A tar with a busybox and these programs; `null`: the packages cannot be had here. */
export function programRootfs({ files = [], trees = [], packages = [], entries = [] }: Programs): Buffer | null {
  const place = mkdtempSync(join(tmpdir(), "wharf-packages-"));
  try {
    if (packages.length > 0 && !unpack(packages, place)) return null;
    const found = new Map<string, TarEntry>();
    for (const file of files) if (existsSync(file)) add(found, file, "");
    for (const tree of trees) addTree(found, tree, "");
    if (packages.length > 0) addTree(found, "/", place);
    for (const library of librariesOf([...found.keys()], place)) add(found, library, existsSync(join(place, library)) ? place : "");
    return busyboxRootfs({ entries: [...directoriesOf(found), ...found.values(), ...entries] });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function unpack(packages: readonly string[], place: string): boolean {
  const downloads = join(place, "downloads");
  mkdirSync(downloads);
  try {
    execFileSync("apt-get", ["download", ...packages], { cwd: downloads, stdio: "ignore", timeout: 60_000 });
    for (const name of readdirSync(downloads)) execFileSync("dpkg-deb", ["-x", join(downloads, name), place], { stdio: "ignore" });
  } catch (error) {
    if (error instanceof Error && ("status" in error || "code" in error)) return false; // no network, or no Debian
    throw error;
  }
  rmSync(downloads, { recursive: true });
  return true;
}

/** `from`: the directory that stands for `/`; empty: this machine's. */
function addTree(found: Map<string, TarEntry>, directory: string, from: string): void {
  for (const entry of readdirSync(`${from}${directory}`, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (/^\/usr\/share\/(doc|man)$/.test(path)) continue;
    if (entry.isDirectory()) addTree(found, path, from);
    else add(found, path, from);
  }
}

function add(found: Map<string, TarEntry>, path: string, from: string): void {
  const at = `${from}${path}`;
  const name = path.slice(1);
  if (from !== "" && lstatSync(at).isSymbolicLink()) found.set(path, { path: name, type: "symlink", target: readlinkSync(at) });
  else found.set(path, { path: name, content: readFileSync(at), mode: statSync(at).mode & 0o755 });
}

/** Paths of all libraries that these need, as the loader looks for them. */
function librariesOf(paths: readonly string[], place: string): readonly string[] {
  const places = ["usr/lib", "lib"].flatMap((name) => {
    const directory = join(place, name);
    return existsSync(directory)
      ? readdirSync(directory).flatMap((entry) => (entry.endsWith("-linux-gnu") ? [join(directory, entry)] : []))
      : [];
  });
  const env = { PATH: "/usr/bin:/bin", ...(places.length === 0 ? {} : { LD_LIBRARY_PATH: places.join(":") }) };
  const needed = new Set<string>();
  for (const path of paths) {
    const file = existsSync(join(place, path)) ? join(place, path) : path;
    if (!existsSync(file) || !readFileSync(file).subarray(0, 4).equals(ELF)) continue;
    const text = execFileSync("ldd", [file], { encoding: "utf8", env });
    for (const [, library = ""] of text.matchAll(/(?:=> |^\s)(\/\S+) \(0x/gm))
      needed.add(library.startsWith(place) ? library.slice(place.length) : library);
  }
  return [...needed];
}

const ELF = Buffer.from("\u007fELF", "latin1");

function directoriesOf(found: ReadonlyMap<string, TarEntry>): readonly TarEntry[] {
  const directories = new Set<string>();
  for (const path of found.keys()) for (let at = dirname(path); at !== "/"; at = dirname(at)) directories.add(at);
  return [...directories].sort().map((path) => ({ path: `${path.slice(1)}/`, type: "directory", mode: 0o755 }));
}
