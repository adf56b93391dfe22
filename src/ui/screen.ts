import type { Terminal } from "./renderer.ts";

/** The lower part of a terminal, painted again and again in place. Above it the terminal scrolls as ever. */
export class Screen {
  readonly #terminal: Terminal;
  readonly #picture: (tick: number) => readonly string[];
  readonly #restore = (): void => this.hide();
  #timer: NodeJS.Timeout | null = null;
  #painted = 0;
  #tick = 0;

  constructor(terminal: Terminal, picture: (tick: number) => readonly string[]) {
    this.#terminal = terminal;
    this.#picture = picture;
  }

  get visible(): boolean {
    return this.#timer !== null;
  }

  show(): void {
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.#paint(), PERIOD_MS);
    this.#timer.unref();
    process.once("exit", this.#restore);
    this.#terminal.write(HIDE_CURSOR);
    this.#paint();
  }

  /** Takes the picture away and gives the cursor back. */
  hide(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    process.off("exit", this.#restore);
    this.#terminal.write(`${this.#erase()}${SHOW_CURSOR}`);
    this.#painted = 0;
  }

  /** Writes lines that stay, above the picture. */
  above(text: string): void {
    this.#terminal.write(`${this.#erase()}${text}\n`);
    this.#painted = 0;
    if (this.visible) this.#paint();
  }

  #paint(): void {
    const lines = this.#picture(this.#tick++);
    this.#terminal.write(`${this.#erase()}${lines.map((line) => `${line}\n`).join("")}`);
    this.#painted = lines.length;
  }

  #erase(): string {
    return this.#painted === 0 ? "" : `\x1b[${this.#painted}A\r\x1b[0J`;
  }
}

const PERIOD_MS = 80;
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
