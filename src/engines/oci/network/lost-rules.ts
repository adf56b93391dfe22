/** What somebody took away of wharf's rules in the packet filter: all of its table, what is in it, or what is newer than a list that was loaded again. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../../lib/file-lock.ts";
import { run } from "../../../lib/process.ts";
import type { Layout } from "../layout.ts";
import { findProgram } from "../runtime.ts";
import { filterGeneration, isAsNoted, noteGeneration } from "./generation.ts";
import { tableText, wants6 } from "./ports.ts";
import { rulesetOf } from "./sync.ts";

/** A command writes down what it does before it tells the packet filter: what is missing is looked for so often, so far apart. */
const LOOKS = 3;
const BETWEEN_MS = 300;

/**
 * What of the rules is not there any more, in words; `null`: they are there, or nobody can tell. Costs some microseconds where nobody has changed
 * the packet filter since the rules were put there or seen.
 */
export async function lostRules(layout: Layout): Promise<string | null> {
  for (let look = 1; ; look += 1) {
    const lost = await lostNow(layout);
    if (lost === null || look === LOOKS) return lost;
    await sleep(BETWEEN_MS);
  }
}

async function lostNow(layout: Layout): Promise<string | null> {
  if (isAsNoted(layout)) return null;
  return withLock(join(layout.locks, "wiring.lock"), { purpose: "look at the packet filter", timeoutMs: 60_000 }, async () => {
    const generation = filterGeneration();
    const rules = rulesetOf(layout);
    if (rules.networks.length === 0) return null;
    for (const family of wants6(rules) ? (["ip", "ip6"] as const) : (["ip"] as const)) {
      const table = `table ${family} ${rules.table}`;
      const listed = await nft("list", "table", family, rules.table);
      if (listed.status !== 0) {
        const tables = await nft("list", "tables");
        if (tables.status === 0 && !tables.stdout.split("\n").includes(table)) return table;
        return null;
      }
      const lost = missingFrom(listed.stdout, tableText(rules, family));
      if (lost !== null) return `${lost} of ${table}`;
    }
    if (generation === filterGeneration()) noteGeneration(layout, generation);
    return null;
  });
}

const nft = (...words: readonly string[]) => run(findProgram("nft") ?? "nft", words);

/**
 * The first chain, set or map of the rules that a listing of their table has not, or not whole; `null`: none. What a listing has more is
 * nobody's loss. Where a port leads to must be the same; of other rules and elements the number counts, as nft writes them its own way. Pure.
 */
export function missingFrom(listing: string, rules: string): string | null {
  const there = contents(listing);
  for (const [name, wanted] of contents(rules)) {
    const has = there.get(name);
    const isWhole =
      name.startsWith("map published") && !rules.includes("table ip6 ") ? wanted.every((item) => has?.includes(item) === true) : true;
    if (has === undefined || has.length < new Set(wanted).size || !isWhole) return name;
  }
  return null;
}

/** What is in each chain (its rules), set and map (its elements), in the language of nft. */
function contents(text: string): ReadonlyMap<string, readonly string[]> {
  const sets = [...text.matchAll(/\b(set|map) (\w+) \{[^{}]*(?:elements = \{([^{}]*)\})?[^{}]*\}/g)].map(
    ([, kind, name, elements = ""]) => [`${kind} ${name}`, split(elements, ",")] as const,
  );
  const chains = [...text.matchAll(/\b(chain \w+) \{([\s\S]*?)\n\s*\}/g)].map(
    ([, name = "", rules = ""]) => [name, split(rules, "\n").filter((line) => !line.startsWith("type "))] as const,
  );
  return new Map([...sets, ...chains]);
}

const split = (text: string, by: string): readonly string[] =>
  text
    .split(by)
    .map((item) => item.trim().replace(/\s+/g, " "))
    .filter((item) => item !== "");
