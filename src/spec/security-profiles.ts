import { type Diagnostic, Report } from "../model/diagnostic.ts";
import { parseSeccomp, type SeccompProfile } from "../model/seccomp.ts";
import type { Context, Draft } from "./draft.ts";
import { child, entriesOf, itemsOf, type Node, sourceOf, textOf } from "./node.ts";
import { hostPath } from "./paths.ts";
import { readText } from "./read.ts";
import { quote } from "./words.ts";

/** Reads the filters of system calls that services name by their files, each once. What is wrong with one keeps its services from being run. */
export async function securityProfiles(draft: Draft, context: Context): Promise<Draft> {
  if (context.options.interpolate === false || context.options.resolveEnvironment === false) return draft;
  const found = new Map<string, SeccompProfile | readonly Diagnostic[]>();
  for (const [, { value }] of entriesOf(child(draft.tree, "services")))
    for (const item of itemsOf(child(value, "security_opt"))) {
      const path = seccompPath(item, draft);
      if (path === null || found.has(path)) continue;
      const report = new Report();
      found.set(path, (await read(path, item, { ...context, report })) ?? report.items);
    }
  if (found.size === 0) return draft;
  return { ...draft, seccomp: found, inputs: [...new Set([...draft.inputs, ...found.keys()])] };
}

/** The file that an item of `security_opt` names, or `null`: it names none. */
export function seccompPath(item: Node, { directory, variables }: Pick<Draft, "directory" | "variables">): string | null {
  const value = /^seccomp[=:](.*)$/s.exec(textOf(item) ?? "")?.[1];
  if (value === undefined || value === "" || value === "unconfined" || value === "builtin") return null;
  return hostPath(value, { directory, home: variables.get("HOME") });
}

async function read(path: string, item: Node, context: Context): Promise<SeccompProfile | null> {
  const file = await readText({ path, what: "seccomp profile", source: sourceOf(item.place) }, context);
  const profile = file === null ? null : parseSeccomp(file.text);
  if (file === null || profile === null) return null;
  if (!("problem" in profile)) return profile;
  context.report.add({
    code: "E_VALUE",
    message: `the seccomp profile ${quote(file.shown)} cannot be used: ${profile.problem}`,
    hint: "the format is that of Docker's default profile",
    source: sourceOf(item.place),
  });
  return null;
}
