import { isAddress } from "../../lib/address.ts";
import type { ExtraHost } from "../../model/service.ts";
import { itemsOf, type Node, textOf } from "../node.ts";
import { step } from "../path.ts";
import { quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** `extra_hosts`: a list of `name=address` or `name:address`, which the merge has made of mappings too. */
export function readExtraHosts(node: Node | undefined, scope: Scope): readonly ExtraHost[] {
  return itemsOf(node).flatMap((item, index) => {
    const text = textOf(item) ?? "";
    const host = parseHost(text);
    if (!("problem" in host)) return [host];
    const path = step(`${scope.path}.extra_hosts`, index);
    refuse(scope, { place: item.place, message: `\`${path}\` is ${quote(text)}: ${host.problem}`, hint: HINT });
    return [];
  });
}

const HINT = "write name=address; the address `host-gateway` is this machine";

function parseHost(text: string): ExtraHost | { readonly problem: string } {
  const [, name = "", address = ""] = /^\s*([^=:]*?)\s*[=:]\s*(.*?)\s*$/s.exec(text) ?? [];
  if (!/^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$/.test(name)) return { problem: "it has no host name" };
  const bare = /^\[(.*)\]$/.exec(address)?.[1] ?? address;
  if (bare !== "host-gateway" && !isAddress(bare)) return { problem: `${quote(address)} is not an address` };
  return { name, address: bare };
}
