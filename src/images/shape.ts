/** Readers for JSON that others wrote: each gives a value of the wanted type or throws `WrongShape`, which names the place. */

export class WrongShape extends Error {
  constructor(where: string, wanted: string) {
    super(`${where} is not ${wanted}`);
    this.name = "WrongShape";
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export function parseJson(text: string | Uint8Array, where: string): unknown {
  try {
    return JSON.parse(typeof text === "string" ? text : new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) throw new WrongShape(where, "JSON");
    throw error;
  }
}

export function fields(value: unknown, where: string): Fields {
  if (!isFields(value)) throw new WrongShape(where, "an object");
  return value;
}

export function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new WrongShape(where, "a list");
  return value;
}

export function text(value: unknown, where: string): string {
  if (typeof value !== "string") throw new WrongShape(where, "a string");
  return value;
}

/** A whole number from 0. */
export function count(value: unknown, where: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw new WrongShape(where, "a whole number from 0");
  return value;
}

export function texts(value: unknown, where: string): readonly string[] {
  return list(value, where).map((item, index) => text(item, `${where}[${index}]`));
}

/** Applies a reader where there is a value; `null` and missing give `null`. */
export function optional<T>(value: unknown, where: string, read: (value: unknown, where: string) => T): T | null {
  return value === undefined || value === null ? null : read(value, where);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
