/** What a registry asks for when it answers 401: the `WWW-Authenticate` header. */

export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/** All challenges of one header line: a scheme, then `name=value` or `name="value"` between commas; several may share a line. */
export function parseChallenges(header: string): readonly Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  for (let at = 0; at < header.length; ) {
    const word = match(TOKEN, header, at);
    if (word === null) {
      at += 1; // commas and blanks; anything else is no challenge we know
      continue;
    }
    at += word.length;
    if (header[at] !== "=") {
      found.push({ scheme: word.toLowerCase(), parameters: new Map() });
      continue;
    }
    at += 1;
    const value = match(QUOTED, header, at) ?? match(TOKEN, header, at) ?? "";
    at += value.length;
    found.at(-1)?.parameters.set(word.toLowerCase(), unquoted(value));
  }
  return found;
}

/** The one to answer: bearer that says where its tokens are before basic, others are not known. */
export function bestChallenge(challenges: readonly Challenge[]): Challenge | null {
  const named = (scheme: string): readonly Challenge[] => challenges.filter((challenge) => challenge.scheme === scheme);
  const [bearer] = named("bearer").toSorted((a, b) => Number(b.parameters.has("realm")) - Number(a.parameters.has("realm")));
  const [basic] = named("basic");
  return bearer?.parameters.has("realm") === true ? bearer : (basic ?? bearer ?? null);
}

/** Whether a token was turned down only because it does not reach far enough; the challenge then names the scope that does. */
export function wantsMore(challenges: readonly Challenge[]): boolean {
  return challenges.some(
    ({ scheme, parameters }) => scheme === "bearer" && parameters.get("error") === "insufficient_scope" && parameters.has("scope"),
  );
}

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
}
