import { createWriteStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { ArchiveFormat } from "../engine/images.ts";
import { Failure } from "../model/diagnostic.ts";
import { familiar } from "../model/reference.ts";
import { inOneStep } from "./one-step.ts";
import type { Session } from "./session.ts";
import { pour } from "./streams.ts";

export interface SaveOptions {
  /** `undefined`: standard output. */
  readonly output: string | undefined;
  readonly format: string;
}

/** Writes images as one archive. */
export async function saveImages(session: Session, names: readonly string[], { output, format }: SaveOptions): Promise<number> {
  if (output === undefined && session.out.terminal)
    throw new Failure({ code: "E_USAGE", message: "an archive is not written to a terminal", hint: "use -o FILE, or redirect the output" });
  const kind: ArchiveFormat = format === "oci-archive" ? "oci-archive" : "docker-archive";
  const archive = await (await session.engine()).images.save(names, kind, session.signal);
  if (output === undefined) await pour(archive, session.out.stream);
  else await writeWhole(archive, output);
  return 0;
}

/** Takes in the images of an archive, and prints their names as Docker does. */
export async function loadImages(
  session: Session,
  { input, quiet }: { readonly input: string | undefined; readonly quiet: boolean },
): Promise<number> {
  if (input === undefined && process.stdin.isTTY === true)
    throw new Failure({
      code: "E_USAGE",
      message: "standard input is a terminal, not an archive",
      hint: "use -i FILE, or redirect the input",
    });
  const { images } = await session.engine();
  const subject = input ?? "standard input";
  const loaded = await inOneStep(session, { kind: "image.load", subject, quiet }, async (progress) => {
    return images.load(await openInput(input ?? "-"), progress, session.signal);
  });
  for (const { id, references } of loaded)
    if (references.length === 0) session.out.line(`Loaded image ID: ${id}`);
    else for (const reference of references) session.out.line(`Loaded image: ${familiar(reference)}`);
  return 0;
}

/** The bytes of a file; `-` is standard input. Throws `Failure` for one that cannot be read. */
export async function openInput(path: string): Promise<AsyncIterable<Uint8Array>> {
  if (path === "-") return process.stdin;
  try {
    const file = await open(path);
    if (!(await file.stat()).isDirectory()) return file.createReadStream({ highWaterMark: 1 << 18 });
    await file.close();
  } catch (error) {
    throw fileFailure(error, path);
  }
  throw new Failure({ code: "E_USAGE", message: `${path} is a directory` });
}

/** What is there under the name stays until all of the new is written; what is no file is written to as it is. */
export async function writeWhole(archive: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const there = await stat(path).catch(() => null); // writing tells what is wrong with it
  if (there !== null && !there.isFile()) return pour(archive, createWriteStream(path));
  const temporary = `${path}.${process.pid}.part`;
  try {
    await pipeline(archive, createWriteStream(temporary, { mode: 0o644 }));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileFailure(error, path);
  }
}

function fileFailure(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof Failure || !("code" in error)) return error;
  if (error.code !== "ENOENT" && error.code !== "EACCES" && error.code !== "EISDIR") return error;
  const problem = { ENOENT: "is not there", EACCES: "may not be opened", EISDIR: "is a directory" }[error.code];
  return new Failure({ code: "E_USAGE", message: `${path} ${problem}` }, { cause: error });
}
