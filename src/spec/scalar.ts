/** Plain YAML scalars read as Compose's YAML parser reads them: the core schema, Go's integers (`0o17`, `017`, `1_000`) and nothing of YAML 1.1's yes and no. */

const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|0[0-7_]*|[1-9][0-9_]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

const WORDS: ReadonlyMap<string, boolean | null | number> = new Map<string, boolean | null | number>([
  ["", null],
  ["~", null],
  ["null", null],
  ["Null", null],
  ["NULL", null],
  ["true", true],
  ["True", true],
  ["TRUE", true],
  ["false", false],
  ["False", false],
  ["FALSE", false],
]);

/** What anything but a text begins with; most scalars begin otherwise, and need no further look. */
const MAY_BE_OTHER = /^(?:[-+.0-9~nNtTfF]|$)/;

export interface Resolved {
  readonly value: string | number | boolean | null;
  /** As compose-go prints it where text is wanted (`1.10` is `1.1`, `017` is `15`). */
  readonly text: string;
}

/** The value that a plain (unquoted) scalar stands for. Integers beyond exact arithmetic stay text. */
export function resolvePlain(text: string): Resolved {
  if (!MAY_BE_OTHER.test(text)) return { value: text, text };
  const word = WORDS.get(text);
  if (word !== undefined) return { value: word, text: word === null ? "" : String(word) };
  if (INTEGER.test(text)) {
    const value = integer(text);
    return Number.isSafeInteger(value) ? { value, text: String(value) } : { value: text, text };
  }
  if (FLOAT.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return { value, text: goFloat(value) };
  }
  return { value: text, text };
}

/** A floating-point number as Go's `%v` prints it: with an exponent of two digits at least below 1e-4 and from 1e6 upwards. */
export function goFloat(value: number): string {
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

function integer(text: string): number {
  const negative = text.startsWith("-");
  const plain = text.replace(/^[-+]|_/g, "");
  const octal = /^0[0-7]+$/.test(plain);
  const value = octal ? Number.parseInt(plain, 8) : Number(plain);
  return negative ? -value : value;
}
