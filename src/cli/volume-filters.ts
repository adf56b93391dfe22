import type { VolumeSummary } from "../engine/volumes.ts";
import { hasLabel, pairsOf, truth, unknownKey } from "./image-filters.ts";

type Test = (volume: VolumeSummary) => boolean;

/** What `--filter` of `volume ls` chooses, with Docker's words. */
export function volumeFilter(filters: readonly string[]): Test {
  return allOf(filters, LIST_KEYS);
}

/** What `--filter` of `volume prune` chooses. */
export function pruneFilter(filters: readonly string[]): Test {
  return allOf(filters, PRUNE_KEYS);
}

const LIST_KEYS = ["dangling", "driver", "label", "name", "project"];
const PRUNE_KEYS = ["label", "label!", "project"];

function allOf(filters: readonly string[], known: readonly string[]): Test {
  const given = pairsOf(filters);
  for (const { key } of given) if (!known.includes(key)) throw unknownKey(key, known);
  const tests = [...new Set(given.map(({ key }) => key))].map((key): Test => {
    const ones = given.flatMap((pair) => (pair.key === key ? [testOf(key, pair.value)] : []));
    // Labels narrow down, everything else is a choice.
    return key.startsWith("label") ? (volume) => ones.every((test) => test(volume)) : (volume) => ones.some((test) => test(volume));
  });
  return (volume) => tests.every((test) => test(volume));
}

function testOf(key: string, value: string): Test {
  switch (key) {
    case "dangling": {
      const wanted = truth(value);
      return ({ users }) => (users.length === 0) === wanted;
    }
    case "driver":
      return () => value === "local";
    case "label":
      return (volume) => hasLabel(volume, value);
    case "label!":
      return (volume) => !hasLabel(volume, value);
    case "name":
      return ({ name }) => name.includes(value);
    default:
      return ({ project }) => project === value;
  }
}
