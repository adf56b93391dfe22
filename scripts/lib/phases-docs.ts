/** docs/spec-phases.md, made of the loader's own lists. */
import type { Phase } from "../../src/spec/draft.ts";
import { PHASES, TREE_PHASES } from "../../src/spec/load.ts";

export function phasesDocument(): string {
  return `# How a spec is loaded

<!-- Made by \`npm run generate:docs\` from PHASES and TREE_PHASES in src/spec/load.ts: change those. -->

Loading is a list of phases; each takes what the ones before it found out and adds to it. Problems are collected and told of together.

${table(PHASES)}

The phase \`tree\` is itself a list, which included projects go through as well, each with its own directory and variables:

${table(TREE_PHASES)}
`;
}

function table(phases: readonly Phase[]): string {
  return ["| phase | what it does |", "| --- | --- |", ...phases.map(({ name, purpose }) => `| \`${name}\` | ${purpose} |`)].join("\n");
}
