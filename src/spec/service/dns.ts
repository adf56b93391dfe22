import { isAddress } from "../../lib/address.ts";
import type { Service } from "../../model/service.ts";
import { child, itemsOf, type Node, textOf } from "../node.ts";
import { step } from "../path.ts";
import { quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

interface Rule {
  readonly isGood: (text: string) => boolean;
  readonly problem: string;
  readonly hint: string;
}

const SERVER: Rule = {
  isGood: isAddress,
  problem: "it is not an IP address",
  hint: "name servers are written as addresses, such as 9.9.9.9",
};
const DOMAIN: Rule = {
  isGood: (text) =>
    text === "." ||
    /^(?=.{1,253}\.?$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/.test(text),
  problem: "it is not a domain",
  hint: "such as corp.example, or `.` for none at all",
};
const OPTION: Rule = {
  isGood: (text) => /^[A-Za-z0-9_:.-]{1,128}$/.test(text),
  problem: "it is not an option of a resolver",
  hint: "such as ndots:2 or use-vc",
};

/** `dns`, `dns_search` and `dns_opt`: how a service's containers look names up. */
export function readDns(service: Node, scope: Scope): Pick<Service, "dns" | "dnsSearch" | "dnsOptions"> {
  const read = (key: string, { isGood, problem, hint }: Rule): readonly string[] =>
    itemsOf(child(service, key)).flatMap((item, index) => {
      const text = textOf(item) ?? "";
      if (isGood(text)) return [text];
      const path = step(`${scope.path}.${key}`, index);
      refuse(scope, { place: item.place, message: `\`${path}\` is ${quote(text)}: ${problem}`, hint });
      return [];
    });
  return { dns: read("dns", SERVER), dnsSearch: read("dns_search", DOMAIN), dnsOptions: read("dns_opt", OPTION) };
}
