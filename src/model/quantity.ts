/** Parsers of amounts with units: single values that users write as text. */

export interface Problem {
  readonly problem: string;
}

/** Nanoseconds in each unit. */
const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["µs", 1e3], // U+00B5
  ["μs", 1e3], // U+03BC
  ["ms", 1e6],
  ["s", 1e9],
  ["m", 60e9],
  ["h", 3600e9],
  ["d", 86_400e9],
  ["w", 604_800e9],
]);

const DURATION_PART = /([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([a-zµμ]+)/y;

/** Longest duration that is taken: what fits in 64 bits of nanoseconds, as everywhere around containers. */
const MOST_NANOSECONDS = 2 ** 63;

/**
 * Milliseconds (with a fraction below one) of a duration such as `1h30m`, `1.5s` or `10us`; a bare `0` needs no unit.
 * Units: ns, us, ms, s, m, h, d, w.
 */
export function parseDuration(text: string): number | Problem {
  if (text === "0") return 0;
  if (text.startsWith("-")) return { problem: "a duration must not be negative" };
  let nanoseconds = 0;
  let at = 0;
  while (at < text.length) {
    DURATION_PART.lastIndex = at;
    const [part, amount = "", unit = ""] = DURATION_PART.exec(text) ?? [];
    const size = DURATION_UNITS.get(unit);
    if (part === undefined || size === undefined) return { problem: durationProblem(text, unit) };
    nanoseconds += Number(amount) * size;
    at += part.length;
  }
  if (at === 0) return { problem: "a duration must not be empty" };
  if (nanoseconds >= MOST_NANOSECONDS) return { problem: "a duration is at most 292 years" };
  return nanoseconds / 1e6;
}

/** The form in which Compose prints a duration: `1m30s`, `1.5s`, `250ms`, `0s`. Takes milliseconds. */
export function formatDuration(ms: number): string {
  const nanoseconds = Math.round(ms * 1e6);
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e3) return `${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`;
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9);
  const seconds = Number(((nanoseconds % 60e9) / 1e9).toFixed(9));
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}

const BYTES = /^([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?)i?b?$/i;

/** Bytes of a size such as `64m`, `1gb` or `512`. Units are powers of 1024: b, k, m, g, t, p, with or without `b` or `ib`. */
export function parseBytes(text: string): number | Problem {
  const [, amount, unit = ""] = BYTES.exec(text.trim()) ?? [];
  if (amount === undefined) return { problem: "a size is a number with b, k, m, g, t or p (64m, 1gb)" };
  const bytes = Math.floor(Number(amount) * 1024 ** " kmgtp".indexOf(unit === "" ? " " : unit.toLowerCase()));
  return bytes <= Number.MAX_SAFE_INTEGER ? bytes : { problem: "a size is at most 8 pebibytes" };
}

function durationProblem(text: string, unit: string): string {
  if (/^[0-9.]+$/.test(text)) return `a duration needs a unit (${text}s, ${text}m)`;
  if (unit !== "") return `"${unit}" is no unit of time: ns, us, ms, s, m, h, d and w are`;
  return "a duration is numbers with units (10s, 1m30s, 500ms)";
}
