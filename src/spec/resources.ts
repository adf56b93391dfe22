import { isAddress } from "../lib/address.ts";
import type { Context, Draft } from "./draft.ts";
import { booleanOf, child, entriesOf, entry, itemsOf, type Node, sourceOf, textOf } from "./node.ts";
import { step } from "./path.ts";
import { refuse } from "./service/scope.ts";
import { listing, quote } from "./words.ts";

/** Checks what the parts of a project say of themselves, whether they are used or not. */
export function checkDeclared(draft: Draft, { report }: Context): Draft {
  for (const [key, { value }] of entriesOf(child(draft.tree, "volumes"))) checkExternal(value, `volumes.${key}`, report);
  for (const [section, sources] of [
    ["configs", ["file", "environment", "content"]],
    ["secrets", ["file", "environment"]],
  ] as const)
    for (const [key, { value }] of entriesOf(child(draft.tree, section)))
      checkSources(value, { path: `${section}.${key}`, sources, report });
  for (const [name, { value }] of entriesOf(child(draft.tree, "services"))) {
    const path = `services.${name}`;
    for (const [index, port] of itemsOf(child(value, "ports")).entries()) checkAddress(port, step(`${path}.ports`, index), report);
    const devices = child(child(child(child(value, "deploy"), "resources"), "reservations"), "devices");
    for (const [key, list] of [
      ["deploy.resources.reservations.devices", devices],
      ["gpus", child(value, "gpus")],
    ] as const)
      for (const [index, request] of itemsOf(list).entries()) checkDevices(request, step(`${path}.${key}`, index), report);
    for (const [index, watch] of itemsOf(child(child(value, "develop"), "watch")).entries()) {
      const at = child(watch, "path");
      if (at !== undefined && textOf(at) === "")
        refuse({ report }, { place: at.place, message: `\`${step(`${path}.develop.watch`, index)}.path\` is empty` });
    }
  }
  return draft;
}

function isExternal(resource: Node): boolean {
  const external = child(resource, "external");
  return booleanOf(external) === true || textOf(external) === "true";
}

/** What exists already cannot be shaped. */
function checkExternal(volume: Node, path: string, report: Context["report"]): void {
  if (!isExternal(volume)) return;
  for (const key of ["driver", "driver_opts", "labels"]) {
    const given = entry(volume, key);
    if (given !== undefined)
      refuse(
        { report },
        {
          place: given.place,
          message: `\`${path}\` is external and has ${quote(key)}, which only a volume of the project can have`,
          hint: "take one of the two out",
        },
      );
  }
}

function checkSources(
  resource: Node,
  { path, sources, report }: { readonly path: string; readonly sources: readonly string[]; readonly report: Context["report"] },
): void {
  if (resource.kind !== "mapping") return;
  const given = sources.flatMap((key) => entry(resource, key) ?? []);
  if (isExternal(resource)) return;
  const [first, second] = given;
  if (first !== undefined && second !== undefined)
    report.add({
      code: "E_CONFLICT",
      message: `\`${path}\` has ${listing(
        given.map(({ spelled }) => spelled),
        "and",
      )}: it is made of one of them`,
      hint: "keep one of them",
      source: sourceOf(second.place),
      related: [{ source: sourceOf(first.place), message: "the other one" }],
    });
  const driven = resource.entries.has("driver") && sources.includes("content"); // of secrets Compose asks for more
  if (first === undefined && !driven)
    refuse(
      { report },
      {
        code: "E_MISSING_KEY",
        place: resource.place,
        message: `\`${path}\` has none of ${listing(sources, "and")}`,
        hint: "say where its content comes from, or `external: true`",
      },
    );
}

function checkAddress(port: Node, path: string, report: Context["report"]): void {
  const host = child(port, "host_ip");
  const text = textOf(host) ?? "";
  if (host === undefined || text === "" || text.includes("$") || isAddress(text)) return;
  refuse({ report }, { code: "E_PORT", place: host.place, message: `\`${path}.host_ip\` is ${quote(text)}: it must be an IP address` });
}

function checkDevices(request: Node, path: string, report: Context["report"]): void {
  const [count, ids] = [entry(request, "count"), entry(request, "device_ids")];
  if (count === undefined || ids === undefined) return;
  refuse(
    { report },
    {
      code: "E_CONFLICT",
      place: count.place,
      message: `\`${path}\` has both \`count\` and \`device_ids\``,
      hint: "keep one of them",
    },
  );
}
