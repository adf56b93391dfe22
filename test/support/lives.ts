/** What the test of leaks is made of, as one module: it is bundled, so that it has beside it what a command has. */
import { createEngine } from "../../src/engines/oci/engine.ts";
import { Life } from "./life.ts";

export const lives = { createEngine, Life } as const;
