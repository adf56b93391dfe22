/** A plan for a review: a table that a forge renders, values below in a fold. */
import type { AttributeChange, Change, Plan } from "../model/plan.ts";
import { placeText, shownChanges, summaryText, type TextOptions, valueText } from "./format.ts";

/** Ends with a line break. Names and values of the spec cannot break out of their cells. */
export function markdownPlan(plan: Plan, options: TextOptions): string {
  const shown = shownChanges(plan, options);
  const rows = shown.map(({ kind, address, reason }) => `| **${kind}** | ${code(address)} | ${cell(reason)} |`);
  const table = rows.length === 0 ? [] : ["", "| | resource | why |", "| --- | --- | --- |", ...rows];
  const folds = shown.filter(({ attributes }) => attributes.length > 0).flatMap((change) => fold(change, options));
  return `${[`### ${cell(plan.project)}: ${summaryText(plan.changes)}`, ...table, ...folds].join("\n")}\n`;
}

function fold({ address, attributes }: Change, { directory }: TextOptions): readonly string[] {
  return [
    "",
    `<details><summary>${escapeHtml(address)}</summary>`,
    "",
    "| attribute | now | then | from | how |",
    "| --- | --- | --- | --- | --- |",
    ...attributes.map((attribute) => row(attribute, directory)),
    "",
    "</details>",
  ];
}

function row({ path, before, after, source, fixedBecause }: AttributeChange, directory: string): string {
  const place = source === null ? "" : code(placeText(source, directory));
  const how = fixedBecause === null ? "in place" : `new: ${cell(fixedBecause)}`;
  return `| ${[code(path), code(valueText(before)), code(valueText(after)), place, how].join(" | ")} |`;
}

/** Text in a cell: nothing in it ends the cell, or is markup. */
function cell(text: string): string {
  return escapeHtml(text)
    .replace(/[\\|*_[\]`~]/g, "\\$&")
    .replace(/\r?\n/g, " ");
}

/** A code span that holds whatever the text has: its fence is longer than any run of backticks in it. */
function code(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const gap = longest > 0 ? " " : "";
  return `${fence}${gap}${text.replace(/\r?\n/g, " ").replaceAll("|", "\\|")}${gap}${fence}`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
