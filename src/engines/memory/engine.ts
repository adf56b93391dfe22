import type { Engine } from "../../engine/engine.ts";
export function create(): Promise<Engine> {
  throw new Error("stub");
}
