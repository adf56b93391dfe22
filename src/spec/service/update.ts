import { parseDuration } from "../../model/quantity.ts";
import { type UpdatePolicy, USUAL_UPDATE } from "../../model/update.ts";
import { child, type Node, textOf } from "../node.ts";

/** `deploy.update_config`. What is no number or duration has been refused before: it counts as not given here. */
export function readUpdate(service: Node): UpdatePolicy {
  const given = child(child(service, "deploy"), "update_config");
  if (given === undefined) return USUAL_UPDATE;
  const at = (key: string): string | null => textOf(child(given, key));
  const order = at("order");
  const action = at("failure_action");
  return {
    order: order === "start-first" || order === "stop-first" ? order : null,
    monitorMs: millisecondsOf(at("monitor")) ?? USUAL_UPDATE.monitorMs,
    parallelism: Number(at("parallelism") ?? 1),
    delayMs: millisecondsOf(at("delay")) ?? 0,
    failureAction: action === "pause" || action === "continue" || action === "rollback" ? action : "pause",
  };
}

function millisecondsOf(text: string | null): number | null {
  const ms = text === null ? null : parseDuration(text);
  return typeof ms === "number" ? ms : null;
}
