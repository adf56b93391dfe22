import { parseDuration } from "../../model/quantity.ts";
import { type UpdatePolicy, USUAL_UPDATE } from "../../model/update.ts";
import { child, type Node, numberOf, textOf } from "../node.ts";
import { refuse, type Scope } from "./scope.ts";

/** `deploy.update_config`. What is no number or duration has been refused before: it counts as not given here. */
export function readUpdate(service: Node, scope: Scope): UpdatePolicy {
  return readPolicy(service, "update_config", scope) ?? USUAL_UPDATE;
}

/** `deploy.rollback_config`; `null`: not given. There is nothing to go back to from there: what fails pauses, or the others go on. */
export function readRollback(service: Node, scope: Scope): UpdatePolicy | null {
  const policy = readPolicy(service, "rollback_config", scope);
  return policy?.failureAction === "rollback" ? { ...policy, failureAction: "pause" } : policy;
}

function readPolicy(service: Node, name: string, scope: Scope): UpdatePolicy | null {
  const given = child(child(service, "deploy"), name);
  if (given === undefined) return null;
  const at = (key: string): string | null => textOf(child(given, key));
  const order = at("order");
  const action = at("failure_action");
  const maxFailureRatio = readRatio(child(given, "max_failure_ratio"), { ...scope, path: `${scope.path}.deploy.${name}` });
  return {
    order: order === "start-first" || order === "stop-first" ? order : null,
    monitorMs: millisecondsOf(at("monitor")),
    parallelism: Number(at("parallelism") ?? 1),
    delayMs: millisecondsOf(at("delay")) ?? 0,
    failureAction: action === "pause" || action === "continue" || action === "rollback" ? action : "pause",
    ...(maxFailureRatio === 0 ? {} : { maxFailureRatio }),
  };
}

function readRatio(node: Node | undefined, scope: Scope): number {
  const ratio = numberOf(node);
  if (node === undefined || ratio === null) return 0;
  if (ratio >= 0 && ratio <= 1) return ratio;
  const message = `\`${scope.path}.max_failure_ratio\` is ${ratio}: it is a part, from 0 to 1`;
  refuse(scope, { place: node.place, message });
  return 0;
}

function millisecondsOf(text: string | null): number | null {
  const ms = text === null ? null : parseDuration(text);
  return typeof ms === "number" ? ms : null;
}
