import type { Context, Draft } from "./draft.ts";
import { booleanOf, child, entriesOf, itemsOf, type Node, sourceOf, textOf } from "./node.ts";
import { isWindowsPath } from "./paths.ts";
import { quote } from "./words.ts";

/** Warns of what is valid and seldom meant: waiting for health that nobody checks, mounting what is not there. */
export async function advise(draft: Draft, context: Context): Promise<Draft> {
  if (context.options.interpolate === false) return draft;
  warnOfHealth(draft, context);
  await warnOfSources(draft, context);
  return draft;
}

function warnOfHealth({ tree }: Draft, { report }: Context): void {
  const services = child(tree, "services");
  for (const [name, { value }] of entriesOf(services))
    for (const [wanted, { value: dependency }] of entriesOf(child(value, "depends_on"))) {
      const condition = child(dependency, "condition");
      const other = child(services, wanted);
      if (condition === undefined || textOf(condition) !== "service_healthy" || other === undefined || isChecked(other)) continue;
      report.add({
        code: "W_NO_HEALTHCHECK",
        message: `service ${quote(name)} waits for ${quote(wanted)} to be healthy, and ${quote(wanted)} has no \`healthcheck\`: only its image could have one`,
        hint: "add a `healthcheck` to it, or wait for `service_started`",
        source: sourceOf(condition.place),
      });
    }
}

function isChecked(service: Node): boolean {
  const outside = child(child(service, "x-wharf"), "healthcheck");
  if (child(outside, "http") !== undefined || child(outside, "tcp") !== undefined) return true;
  const check = child(service, "healthcheck");
  if (check === undefined || booleanOf(child(check, "disable")) === true) return false;
  const test = child(check, "test");
  return test === undefined || textOf(itemsOf(test)[0]) !== "NONE";
}

async function warnOfSources({ tree }: Draft, { reader, report }: Context): Promise<void> {
  const sources = new Map<string, Node>();
  for (const [, { value }] of entriesOf(child(tree, "services")))
    for (const mount of itemsOf(child(value, "volumes"))) {
      const source = child(mount, "source");
      const path = textOf(source) ?? "";
      if (textOf(child(mount, "type")) !== "bind" || source === undefined || !path.startsWith("/") || isWindowsPath(path)) continue;
      if (!sources.has(path)) sources.set(path, source);
    }
  await Promise.all(
    Array.from(sources, async ([path, source]) => {
      if (await (reader.glance?.(path) ?? reader.exists(path))) return;
      report.add({
        code: "W_NO_SOURCE",
        message: `${quote(path)} is mounted and does not exist`,
        hint: path.endsWith("/docker.sock")
          ? "Docker does not run here, and wharf has no daemon: what talks to that socket cannot work"
          : "check the path; the short form makes an empty directory of it",
        source: sourceOf(source.place),
      });
    }),
  );
}
