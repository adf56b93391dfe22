/**
 * A tar stream unpacked into a directory that has something in it already, while others may change it. Every name is reached from one open
 * directory to the next and never through a link, so nothing is written outside of the directory, whatever is swapped in meanwhile.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { setXattrs, times, writeAt } from "../images/unpack/attributes.ts";
import { decompress, detectCompression } from "../images/unpack/decompress.ts";
import { makeSpecial } from "../images/unpack/special.ts";
import { type TarEntry, TarReader, type TarSink } from "../images/unpack/tar-reader.ts";
import { Failure } from "../model/diagnostic.ts";
import { enter, inside, leave, type Spot } from "./step.ts";

export interface UnpackRequest {
  /** An open directory. */
  readonly directory: number;
  /** Who owns what is unpacked; `null`: as the archive says. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** Directories that are there get the mode, owner and time that the archive has for them. */
  readonly changeDirectories: boolean;
  /** Make device nodes. */
  readonly devices: boolean;
  /** Told of what is left out, and why. */
  readonly skipped: (path: string, why: string) => void;
}

/** Throws E_COPY where something is in the way, E_LAYER_TAR for what is no archive. gzip and zstd are undone. */
export async function unpackTree(chunks: AsyncIterable<Uint8Array>, request: UnpackRequest): Promise<void> {
  const writer = new TreeWriter(request);
  const reader = new TarReader(writer);
  try {
    const source = await detectCompression(chunks);
    for await (const chunk of decompress(source.chunks, source.compression)) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      writing(writer, () => reader.write(bytes));
    }
    reader.finish({ requireEnd: false });
    writing(writer, () => writer.finish());
  } finally {
    writer.close();
  }
}

/** What the file system refuses, or is no longer as it was a moment ago, is told with the entry that it is about. */
function writing(writer: TreeWriter, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) throw error;
    throw new Failure({ code: "E_COPY", message: `${shown(writer.current)} could not be written: ${error.code}` }, { cause: error });
  }
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const SET_ID = 0o6000;

class TreeWriter implements TarSink {
  readonly #request: UnpackRequest;
  /** Directories whose times are set when all is in them. */
  readonly #directories = new Map<string, TarEntry>();
  #file: { readonly descriptor: number; readonly entry: TarEntry; readonly path: Buffer; written: number } | null = null;
  /** The directory of the entry before: most entries lie where their predecessor did. */
  #last: { readonly text: string; readonly spot: Spot } | null = null;

  /** The path of the entry at work. */
  current = ".";

  constructor(request: UnpackRequest) {
    this.#request = request;
  }

  entry(entry: TarEntry): void {
    this.current = entry.path;
    const parts = partsOf(entry.path);
    const name = parts.at(-1);
    if (name === undefined) {
      if (entry.type !== "directory") throw refused(`the archive replaces the directory itself by a ${entry.type}`);
      if (this.#request.changeDirectories) this.#directories.set(".", entry);
      return;
    }
    const directory = this.#directory(parts.slice(0, -1)).descriptor;
    const path = inside(directory, name);
    const there = this.#look(directory, name);
    if (entry.type === "directory") {
      this.#makeDirectory(entry, { path, there, text: parts.join("/") });
      return;
    }
    if (there === "directory") throw refused(`${shown(entry.path)} is a directory there, and a ${entry.type} in the source`);
    if ((entry.type === "character" || entry.type === "block") && !this.#request.devices) {
      this.#request.skipped(shown(entry.path), "it is a device");
      return;
    }
    if (there !== null) unlinkSync(path);
    this.#make(entry, path);
  }

  data(chunk: Buffer, offset: number): void {
    if (this.#file === null) return;
    writeAt(this.#file.descriptor, chunk, offset);
    this.#file.written = offset + chunk.length;
  }

  end(): void {
    if (this.#file === null) return;
    const { descriptor, entry, path, written } = this.#file;
    if (written < entry.size) ftruncateSync(descriptor, entry.size); // it ends with a hole
    const { uid, gid } = this.#request.owner ?? entry;
    fchownSync(descriptor, uid, gid); // clears set-id bits and capabilities: those come after it
    this.#xattrs(path, entry);
    fchmodSync(descriptor, this.#modeOf(entry));
    futimesSync(descriptor, ...times(entry));
    closeSync(descriptor);
    this.#file = null;
  }

  finish(): void {
    for (const [text, entry] of [...this.#directories].reverse()) {
      const spot = this.#directory(text === "." ? [] : text.split("/"));
      const path = Buffer.concat([inside(spot.descriptor), Buffer.from("/.")]);
      const { uid, gid } = this.#request.owner ?? entry;
      lchownSync(path, uid, gid);
      this.#xattrs(path, entry);
      chmodSync(path, this.#modeOf(entry));
      utimesSync(path, ...times(entry));
    }
  }

  /** Lets go of everything open. To be called however the unpacking ended. */
  close(): void {
    if (this.#file !== null) closeSync(this.#file.descriptor);
    this.#file = null;
    this.#forget();
  }

  #make(entry: TarEntry, path: Buffer): void {
    const { type } = entry;
    switch (type) {
      case "file":
        this.#file = { descriptor: openSync(path, CREATE, 0o600), entry, path, written: 0 };
        return;
      case "hardlink": {
        const parts = partsOf(entry.target);
        const [name = "."] = parts.slice(-1);
        this.#within(parts.slice(0, -1), ({ descriptor }) => linkSync(inside(descriptor, name), path));
        return;
      }
      case "symlink":
        symlinkSync(Buffer.from(entry.target, "latin1"), path);
        break;
      case "character":
      case "block":
      case "fifo":
        makeSpecial(path, { kind: type, major: entry.major, minor: entry.minor });
        break;
      case "directory":
        return;
    }
    const { uid, gid } = this.#request.owner ?? entry;
    lchownSync(path, uid, gid);
    if (type !== "symlink") this.#throughDoor(path, (door) => chmodSync(door, this.#modeOf(entry)));
    lutimesSync(path, ...times(entry));
  }

  #makeDirectory(
    entry: TarEntry,
    { path, there, text }: { readonly path: Buffer; readonly there: "directory" | "other" | null; readonly text: string },
  ): void {
    if (there === "other") throw refused(`${shown(entry.path)} is no directory there, but one in the source`);
    if (there === null) mkdirSync(path, 0o700);
    if (there === null || this.#request.changeDirectories || this.#directories.has(text)) this.#directories.set(text, entry);
  }

  /** Set-id bits speak of an owner: another one does not get them. */
  #modeOf({ mode, uid, gid }: TarEntry): number {
    const { owner } = this.#request;
    return owner === null || (owner.uid === uid && owner.gid === gid) ? mode : mode & ~SET_ID;
  }

  #xattrs(path: Buffer, { xattrs }: TarEntry): void {
    // Rights that a program has go with its owner.
    const kept = this.#request.owner === null ? xattrs : [...xattrs].filter(([name]) => name !== "security.capability");
    setXattrs(path, kept);
  }

  /** Changes of a mode follow links: made through what is open, they cannot. */
  #throughDoor(path: Buffer, change: (door: Buffer) => void): void {
    const descriptor = openSync(path, 0o10000000 | constants.O_NOFOLLOW);
    try {
      change(inside(descriptor));
    } finally {
      closeSync(descriptor);
    }
  }

  #look(directory: number, name: string): "directory" | "other" | null {
    const spot = enter(directory, name);
    if (spot === null) return null;
    leave(spot);
    return spot.stats.isDirectory() ? "directory" : "other";
  }

  /** A directory below the one that is unpacked into, open until the next is asked for. What is missing is made, as an archive may leave it out. */
  #directory(parts: readonly string[]): Spot {
    const text = parts.join("/");
    if (this.#last?.text === text) return this.#last.spot;
    this.#forget();
    const spot = this.#walk(parts);
    this.#last = { text, spot };
    return spot;
  }

  /** As `#directory`, beside it. */
  #within(parts: readonly string[], use: (spot: Spot) => void): void {
    const spot = this.#walk(parts);
    try {
      use(spot);
    } finally {
      leave(spot);
    }
  }

  #walk(parts: readonly string[]): Spot {
    let here = enter(this.#request.directory, ".");
    for (const name of parts) {
      if (here === null) break;
      const above: Spot = here;
      try {
        here = enter(above.descriptor, name);
        if (here === null) {
          mkdirSync(inside(above.descriptor, name), 0o755);
          if (this.#request.owner !== null) lchownSync(inside(above.descriptor, name), this.#request.owner.uid, this.#request.owner.gid);
          here = enter(above.descriptor, name);
        }
      } finally {
        leave(above);
      }
      if (here !== null && !here.stats.isDirectory()) {
        leave(here);
        throw refused(`${shown(parts.join("/"))} leads through ${shown(name)}, which is no directory there`);
      }
    }
    if (here === null) throw refused("the directory went away while it was written to");
    return here;
  }

  #forget(): void {
    if (this.#last !== null) leave(this.#last.spot);
    this.#last = null;
  }
}

/** The components of a path in an archive. */
function partsOf(path: string): readonly string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refused(`the archive has a path that leads out of it: ${shown(path)}`);
  return parts;
}

function shown(path: string): string {
  return JSON.stringify(Buffer.from(path, "latin1").toString("utf8"));
}

function refused(message: string): Failure {
  return new Failure({ code: "E_COPY", message, hint: "what was copied before stays" });
}
