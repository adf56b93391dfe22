/** Sparse files: archives hold only the parts that are not zeros, and a map of where those belong. GNU tar has written it in four ways. */
import { BLOCK_SIZE, malformed, numberAt, textAt } from "./tar-header.ts";

/** A part of a file that has content of its own. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

/** A map that goes on in the blocks before the content. */
export interface SparseMap {
  /** Takes the next block. Gives the whole map with the last of them, else `null`. */
  take(block: Buffer): readonly Segment[] | null;
}

/** As PAX records say it; what is stored may begin with the map. */
export interface SparseRecords {
  readonly path: string | null;
  /** Bytes that the file has once it is unpacked. */
  readonly size: number;
  readonly map: readonly Segment[] | SparseMap;
}

/** Blocks that one map may have: a million bytes, as other things about a file. */
const BLOCK_LIMIT = 2048;
const RECORD_SIZE = 24;

/** The map in a header of type `S`. Complete when `more` is false, else it goes on in blocks of its own. */
export function headerMap(block: Buffer): { readonly segments: readonly Segment[]; readonly more: boolean; readonly size: number } {
  return { segments: segmentsIn(block, 386, 4), more: block[482] === 1, size: numberAt(block, 483, 12) };
}

/** Blocks after such a header. */
export function continuedMap(begun: readonly Segment[]): SparseMap {
  const segments = [...begun];
  let blocks = 0;
  return {
    take: (block) => {
      blocks = counted(blocks);
      segments.push(...segmentsIn(block, 0, 21));
      return block[504] === 1 ? null : segments;
    },
  };
}

/** What PAX records say of a sparse file, `null` when it is none. Versions 0.0 and 0.1 list the map, 1.0 puts it before the content. */
export function sparseRecords(pax: ReadonlyMap<string, string>): SparseRecords | null {
  if (pax.size === 0 || ![...pax.keys()].some((key) => key.startsWith(PREFIX))) return null;
  const path = pax.get(`${PREFIX}name`) ?? null;
  const major = pax.get(`${PREFIX}major`);
  if (major === "1" && pax.get(`${PREFIX}minor`) === "0") return { path, size: natural(pax.get(`${PREFIX}realsize`)), map: writtenMap() };
  if (major !== undefined && major !== "0") throw malformed("a sparse file is in a form that is not known");
  const numbers = (pax.get(SPARSE_MAP) || null)?.split(",").map(natural) ?? [];
  if (numbers.length % 2 !== 0) throw malformed("the map of a sparse file is not well-formed");
  return { path, size: natural(pax.get(`${PREFIX}size`) ?? pax.get(`${PREFIX}realsize`)), map: pairs(numbers) };
}

/** The map, checked: in order, within the file, and with as many bytes as are stored. */
export function checkedMap(
  segments: readonly Segment[],
  { size, stored }: { readonly size: number; readonly stored: number },
): readonly Segment[] {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of segments) {
    if (offset < end || offset + length > size || !Number.isSafeInteger(offset + length))
      throw malformed("the map of a sparse file does not fit it");
    end = offset + length;
    sum += length;
  }
  if (sum !== stored) throw malformed("a sparse file has other content than its map says");
  return segments.filter(({ length }) => length > 0);
}

const PREFIX = "GNU.sparse.";
/** `parsePax` keeps the list here also for version 0.0, which has a record for each number. */
const SPARSE_MAP = "GNU.sparse.map";

/** Decimal numbers, each on a line of its own: how many segments, then their offsets and lengths. */
function writtenMap(): SparseMap {
  let text = "";
  let blocks = 0;
  return {
    take: (block) => {
      blocks = counted(blocks);
      text += textAt(block, 0, BLOCK_SIZE);
      const lines = text.split("\n");
      const numbers = lines.slice(0, -1).slice(0, 1 + 2 * (lines.length > 1 ? natural(lines[0]) : 0));
      if (lines.length === 1 || numbers.length < 1 + 2 * natural(lines[0])) return null;
      return pairs(numbers.slice(1).map(natural));
    },
  };
}

function segmentsIn(block: Buffer, at: number, most: number): readonly Segment[] {
  const found: Segment[] = [];
  for (let i = 0; i < most; i += 1) {
    const from = at + i * RECORD_SIZE;
    if (block[from] === 0 || block[from + 12] === 0) break; // an unused place; a used one begins with a digit
    const [offset, length] = [numberAt(block, from, 12), numberAt(block, from + 12, 12)];
    if (offset < 0 || length < 0) throw malformed("the map of a sparse file has a negative number");
    found.push({ offset, length });
  }
  return found;
}

function pairs(numbers: readonly number[]): readonly Segment[] {
  const found: Segment[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) found.push({ offset: numbers[i] ?? 0, length: numbers[i + 1] ?? 0 });
  return found;
}

function counted(blocks: number): number {
  if (blocks >= BLOCK_LIMIT) throw malformed("the map of a sparse file is too long");
  return blocks + 1;
}

function natural(text: string | undefined): number {
  const value = text !== undefined && /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw malformed("a number about a sparse file is missing or out of range");
  return value;
}
