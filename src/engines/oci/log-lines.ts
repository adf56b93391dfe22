/** One record of conmon's k8s-file log: `TIME STREAM TAG TEXT`, where the tag P means that the line goes on in the next record. */
export interface LogRecord {
  /** RFC 3339 UTC with nine digits of a second: comparing texts compares times. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  readonly partial: boolean;
  readonly text: string;
}

const RECORD = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) (stdout|stderr) ([FP])(?: (.*))?$/s;

/** Parses one record without its newline; `null` for anything else (a record cut short by a crash). */
export function parseRecord(line: string): LogRecord | null {
  const [, seconds, fraction = "", zone = "", stream, tag, text = ""] = RECORD.exec(line) ?? [];
  if (seconds === undefined || (stream !== "stdout" && stream !== "stderr")) return null;
  return { time: utc(seconds, fraction, zone), stream, partial: tag === "P", text };
}

/** Puts the pieces of long lines together, each stream for itself. */
export class LineJoiner {
  readonly #pending = new Map<LogRecord["stream"], { time: string; text: string }>();

  /** The whole line that this record ends, or `null` while it goes on. */
  add(record: LogRecord): { readonly time: string; readonly stream: LogRecord["stream"]; readonly text: string } | null {
    const before = this.#pending.get(record.stream);
    const time = before?.time ?? record.time;
    const text = (before?.text ?? "") + record.text;
    if (record.partial) {
      this.#pending.set(record.stream, { time, text });
      return null;
    }
    this.#pending.delete(record.stream);
    return { time, stream: record.stream, text };
  }

  /** What has no end yet, when nothing more will come. */
  rest(): readonly { readonly time: string; readonly stream: LogRecord["stream"]; readonly text: string }[] {
    const rest = [...this.#pending].map(([stream, { time, text }]) => ({ time, stream, text }));
    this.#pending.clear();
    return rest;
  }
}

function utc(seconds: string, fraction: string, zone: string): string {
  const nanoseconds = fraction.padEnd(9, "0");
  if (zone === "Z" || zone === "+00:00") return `${seconds}.${nanoseconds}Z`;
  return `${new Date(`${seconds}${zone}`).toISOString().slice(0, 19)}.${nanoseconds}Z`;
}
