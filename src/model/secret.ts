/** What a config or a secret holds, its bytes in base64: of a secret nothing is ever printed or written down. */
export type Content = string | Secret;

export function bytesOf(content: Content): Buffer {
  return Buffer.from(typeof content === "string" ? content : content.reveal(), "base64");
}

/** A value that must never be printed: every string form of it is redacted. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}
