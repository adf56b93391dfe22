/** `logging`: where output goes, and how much of it is kept. */
import type { Logging } from "../../model/logging.ts";
import { parseBytes } from "../../model/quantity.ts";
import { child, entriesOf, type Node, numberOf, textOf } from "../node.ts";
import { unsupported } from "../support.ts";
import { quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** `null`: nothing is said. A driver that is not here is named in a warning, and output is kept as it is without one. */
export function readLogging(node: Node | undefined, scope: Scope): Logging | null {
  if (node === undefined) return null;
  const at = child(node, "driver");
  const word = textOf(at) ?? "json-file";
  const driver = DRIVERS.find((known) => known === word);
  if (driver === undefined) {
    if (at !== undefined) unsupported(`${scope.path}.logging.driver: ${word}`, at, scope);
    return null;
  }
  const options = child(node, "options");
  for (const [key, { value }] of entriesOf(options))
    if (key !== "max-size" && key !== "max-file" && !WITHOUT_EFFECT.has(key))
      unsupported(`${scope.path}.logging.options.${key}`, value, scope);
  const { maxSize, maxFile } = driver === "local" ? LOCAL : JSON_FILE;
  return {
    driver,
    maxSize: readSize(child(options, "max-size"), scope) ?? maxSize,
    maxFile: readFiles(child(options, "max-file"), scope) ?? maxFile,
  };
}

const DRIVERS = ["json-file", "local", "journald", "none"] as const;

/** As Docker has them. */
const JSON_FILE = { maxSize: null, maxFile: 1 };
const LOCAL = { maxSize: 20 * 1024 * 1024, maxFile: 5 };

/** What changes nothing that is seen: how files are packed, how lines are handed over. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(["compress", "mode", "max-buffer-size"]);

/** `null`: not given, or without limit. */
function readSize(node: Node | undefined, scope: Scope): number | null {
  const text = textOf(node) ?? numberOf(node)?.toString() ?? null;
  if (node === undefined || text === null || text === "-1") return null;
  const bytes = parseBytes(text);
  if (typeof bytes === "number" && bytes > 0) return bytes;
  return refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.logging.options.max-size\` is ${quote(text)}: it must be a size`,
    hint: "such as 10m or 500k",
  });
}

function readFiles(node: Node | undefined, scope: Scope): number | null {
  if (node === undefined) return null;
  const count = numberOf(node) ?? Number(textOf(node));
  if (Number.isInteger(count) && count >= 1 && count <= MOST_FILES) return count;
  return refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.logging.options.max-file\` must be a number from 1 to ${MOST_FILES}`,
  });
}

const MOST_FILES = 1000;
