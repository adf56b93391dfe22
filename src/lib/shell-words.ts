/**
 * Splits a text into words as a shell does: at blanks, with single quotes, double quotes and backslashes, and nothing else of a shell's meaning.
 * Gives `null` where a quote is not closed or the text ends in a backslash.
 */
export function splitWords(text: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: "'" | '"' | null = null;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? "";
    if (quote === null && /\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (character === quote) quote = null;
    else if (quote === null && (character === "'" || character === '"')) {
      quote = character;
      word ??= "";
    } else if (character === "\\" && quote !== "'") {
      const next = text[++i];
      if (next === undefined) return null;
      const literal = quote === '"' && !ESCAPABLE.has(next);
      word = `${word ?? ""}${literal ? "\\" : ""}${next}`;
    } else word = `${word ?? ""}${character}`;
  }
  if (quote !== null) return null;
  return word === null ? words : [...words, word];
}

/** What a backslash takes its meaning from inside double quotes. */
const ESCAPABLE: ReadonlySet<string> = new Set(['"', "\\", "$", "`"]);

/** A word as it is written for a shell so that it stays one and means itself. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
