/** Keys that leave a program alone instead of going to it, as Docker writes them: `ctrl-p,ctrl-q`. */

export const DEFAULT_DETACH_KEYS = "ctrl-p,ctrl-q";

/** The bytes of a sequence of keys, each one character or `ctrl-` with a letter or one of `@[\]^_`; `null` for what is none. */
export function parseDetachKeys(text: string): readonly number[] | null {
  const bytes = text.split(",").map((key) => {
    const [, control] = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key) ?? [];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 64;
    return /^[\x20-\x7e]$/.test(key) ? key.charCodeAt(0) : null;
  });
  const known = bytes.filter((byte) => byte !== null);
  return known.length === bytes.length ? known : null;
}

/** Watches what is typed for the keys. A key that may begin them is held back until the next one says. */
export class KeyWatch {
  readonly #keys: readonly number[];
  #held = 0;

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  /** What goes on to the program, and whether the keys were typed; what comes after them is dropped. */
  take(chunk: Uint8Array): { readonly passed: Buffer; readonly detached: boolean } {
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte !== this.#keys[this.#held]) {
        passed.push(...this.#keys.slice(0, this.#held));
        this.#held = 0;
      }
      if (byte !== this.#keys[this.#held]) passed.push(byte);
      else if (++this.#held === this.#keys.length) return { passed: Buffer.from(passed), detached: true };
    }
    return { passed: Buffer.from(passed), detached: false };
  }
}
