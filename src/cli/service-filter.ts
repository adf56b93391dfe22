/** Which services `config --services --filter` lists. */
import { Failure } from "../model/diagnostic.ts";
import type { Loaded } from "../spec/load.ts";
import { child, entriesOf, itemsOf, type Node, textOf } from "../spec/node.ts";
import { hasLabel, pairsOf } from "./image-filters.ts";

export interface ServiceFilter {
  /** Profiles that it names: they are on. */
  readonly profiles: readonly string[];
  names(loaded: Pick<Loaded, "tree">, wanted: readonly string[]): readonly string[];
}

/** `profile=NAME` chooses the services of a profile and switches it on, `label=KEY[=VALUE]` those that have a label; all of it must fit. */
export function serviceFilter(filters: readonly string[], ofServices: boolean): ServiceFilter {
  if (!ofServices) throw misuse("--filter requires --services", "add --services, or leave --filter out");
  const pairs = pairsOf(filters);
  const unknown = pairs.find(({ key }) => key !== "profile" && key !== "label");
  if (unknown !== undefined) throw misuse(`unknown criteria "${unknown.key}"`, "there are profile=NAME and label=KEY[=VALUE]");
  const valuesOf = (wanted: string) => pairs.flatMap(({ key, value }) => (key === wanted ? [value] : []));
  const [profiles, labels] = [valuesOf("profile"), valuesOf("label")];
  if (profiles.includes("*")) throw misuse("profiles must be selected explicitly: profile=* is none", "name the profile");
  const fits = (service: Node): boolean => {
    const own = itemsOf(child(service, "profiles")).map((item) => textOf(item) ?? "");
    const given = Object.fromEntries(Array.from(entriesOf(child(service, "labels")), ([key, { value }]) => [key, textOf(value) ?? ""]));
    const isIn = profiles.length === 0 || own.some((profile) => profiles.includes(profile));
    return isIn && labels.every((label) => hasLabel({ labels: given }, label));
  };
  return {
    profiles,
    names({ tree }, wanted) {
      const chosen = [...entriesOf(child(tree, "services"))].filter(([name, { value }]) => isNamed(wanted, name) && fits(value));
      return chosen.map(([name]) => name).sort();
    },
  };
}

const isNamed = (wanted: readonly string[], name: string): boolean => wanted.length === 0 || wanted.includes(name);

function misuse(message: string, hint: string): Failure {
  return new Failure({ code: "E_USAGE", message, hint });
}
