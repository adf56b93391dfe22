/** What happens when a container ends: `restart`, or `deploy.restart_policy`, which wins where both are given, as with Compose. */
import { parseDuration } from "../../model/quantity.ts";
import { NO_RESTART, type RestartPolicy } from "../../model/service.ts";
import { suggestion } from "../../model/suggest.ts";
import { child, type Node, numberOf, textOf } from "../node.ts";
import { listing, quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

export function readRestart(service: Node, scope: Scope): RestartPolicy {
  const own = readOwn(child(service, "restart"), scope);
  const deployed = child(child(service, "deploy"), "restart_policy");
  return deployed === undefined ? own : readDeployed(deployed, scope);
}

function readOwn(node: Node | undefined, scope: Scope): RestartPolicy {
  const text = textOf(node);
  if (node === undefined || text === null) return NO_RESTART;
  const [, word = "", limit] = /^([a-z-]*)(?::([0-9]{1,9}))?$/.exec(text) ?? [];
  const name = RESTARTS.find((known) => known === word);
  if (name !== undefined && (limit === undefined || name === "on-failure")) return { ...NO_RESTART, name, limit: Number(limit ?? 0) };
  const hint = name === undefined ? suggestion(text, RESTARTS) : { hint: "only `on-failure` takes a number" };
  refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.restart\` is ${quote(text)}: it must be ${listing(RESTARTS, "or")}`,
    ...hint,
  });
  return NO_RESTART;
}

const RESTARTS = ["no", "always", "unless-stopped", "on-failure"] as const;

function readDeployed(node: Node, scope: Scope): RestartPolicy {
  const condition = child(node, "condition");
  const word = textOf(condition) ?? "any";
  const name = Object.hasOwn(CONDITIONS, word) ? CONDITIONS[word] : undefined;
  if (name === undefined) {
    refuse(scope, {
      place: (condition ?? node).place,
      message: `\`${scope.path}.deploy.restart_policy.condition\` is ${quote(word)}: it must be ${listing(Object.keys(CONDITIONS), "or")}`,
      ...suggestion(word, Object.keys(CONDITIONS)),
    });
    return NO_RESTART;
  }
  if (name === "no") return NO_RESTART;
  const limit = numberOf(child(node, "max_attempts")) ?? 0;
  return { name, limit: Math.max(0, limit), delayMs: durationOf(child(node, "delay")), windowMs: durationOf(child(node, "window")) };
}

const CONDITIONS: Readonly<Record<string, RestartPolicy["name"]>> = {
  any: "always",
  "on-failure": "on-failure",
  none: "no",
  always: "always",
  "unless-stopped": "unless-stopped",
  no: "no",
};

/** Milliseconds; `null`: not given. What is no duration has been refused before. */
function durationOf(node: Node | undefined): number | null {
  const text = textOf(node);
  const ms = text === null ? null : parseDuration(text);
  return typeof ms === "number" ? ms : null;
}
