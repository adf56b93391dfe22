/** Select Graphic Rendition: the few text styles that wharf uses. Without colour every function gives its text unchanged. */
export interface Style {
  readonly colour: boolean;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
  /** A colour that belongs to a name: the same for the same name in every run. */
  named(name: string, text: string): string;
}

export function styleOf(colour: boolean): Style {
  const wrap = (open: number, close: number) => (text: string) => (colour ? `\x1b[${open}m${text}\x1b[${close}m` : text);
  return {
    colour,
    bold: wrap(1, 22),
    dim: wrap(2, 22),
    red: wrap(31, 39),
    green: wrap(32, 39),
    yellow: wrap(33, 39),
    cyan: wrap(36, 39),
    named: (name, text) => wrap(NAME_COLOURS[hash(name) % NAME_COLOURS.length] ?? 36, 39)(text),
  };
}

/** Readable on light and on dark; red is left to errors. */
const NAME_COLOURS: readonly number[] = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** FNV-1a: spreads names that differ in their last letter only. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
