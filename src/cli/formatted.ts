import { Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import { parseTemplate, TemplateError } from "../ui/go-template.ts";
import { table } from "../ui/table.ts";
import { clean } from "../ui/text.ts";

/**
 * Lines of a listing in a format that is neither `table` nor `json`: a template for each row, or `table TEMPLATE` with its columns apart by `\t`.
 * Throws `Failure` for a template that means nothing.
 */
export function formatted(format: string, rows: readonly { readonly [key: string]: Json }[], fields: readonly string[]): readonly string[] {
  const [, head, text = ""] = /^(table(?=\s|$)\s*)?(.*)$/s.exec(format) ?? [];
  try {
    const template = parseTemplate(text.replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
    if (head === undefined) return rows.map((row) => template(row));
    const titles = template(Object.fromEntries(fields.map((field) => [field, titleOf(field)]))).split("\t");
    const cells = rows.map((row) => template(row).split("\t").map(clean));
    return table(
      titles.map((title) => ({ title })),
      cells,
      { width: null },
    );
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new Failure(
      { code: "E_USAGE", message: `--format ${format}: ${error.message}`, hint: `such as '{{.${fields[0] ?? ""}}}'` },
      { cause: error },
    );
  }
}

/** As Docker heads its columns: `RunningFor` is CREATED, `CPUPerc` is CPU %. */
function titleOf(field: string): string {
  return TITLES[field] ?? field.replace(/([a-z])([A-Z])/g, "$1 $2").toUpperCase();
}

const TITLES: Readonly<Record<string, string>> = {
  BlockIO: "BLOCK I/O",
  CPUPerc: "CPU %",
  Container: "CONTAINER",
  ID: "CONTAINER ID",
  MemPerc: "MEM %",
  MemUsage: "MEM USAGE / LIMIT",
  NetIO: "NET I/O",
  PIDs: "PIDS",
  RunningFor: "CREATED",
};
