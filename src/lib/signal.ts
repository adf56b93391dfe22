import { constants } from "node:os";

/** The one spelling of a signal (`15`, `term` and `SIGTERM` are `SIGTERM`; `RTMIN+3` is `SIGRTMIN+3`), or `null` when there is none of that name. */
export function signalName(text: string): string | null {
  if (/^\d+$/.test(text)) return nameOf(Number(text));
  const name = text.toUpperCase().replace(/^(?!SIG)/, "SIG");
  return signalNumber(name) === null ? null : name;
}

/** The number of a signal by its name with `SIG`, or `null`. */
export function signalNumber(name: string): number | null {
  if (Object.hasOwn(NUMBERS, name)) return NUMBERS[name] ?? null;
  const [, end, sign, distance = "0"] = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name) ?? [];
  if (end === undefined) return null;
  const number = (end === "MIN" ? REALTIME.first : REALTIME.last) + (sign === "-" ? -Number(distance) : Number(distance));
  return number >= REALTIME.first && number <= REALTIME.last ? number : null;
}

const NUMBERS: Readonly<Record<string, number>> = constants.signals;

/** What programs built against glibc call SIGRTMIN and SIGRTMAX; the kernel's own first two are the library's. */
const REALTIME = { first: 34, last: 64 } as const;

function nameOf(number: number): string | null {
  if (number >= REALTIME.first && number <= REALTIME.last)
    return number === REALTIME.first ? "SIGRTMIN" : `SIGRTMIN+${number - REALTIME.first}`;
  return Object.keys(NUMBERS).find((name) => NUMBERS[name] === number) ?? null;
}
