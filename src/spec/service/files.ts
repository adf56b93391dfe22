import { absolute } from "../../lib/path.ts";
import type { FileGrant } from "../../model/service.ts";
import { child, itemsOf, type Node, type Place, sourceOf, textOf } from "../node.ts";
import { step } from "../path.ts";
import { quote } from "../words.ts";
import type { ReadMount } from "./mounts.ts";
import { refuse, type Scope } from "./scope.ts";

/** A config or secret of a service with its place. */
export interface ReadGrant {
  readonly grant: FileGrant;
  readonly place: Place;
}

/** `configs` or `secrets` of a service. A target that is no path stands in the root, or in /run/secrets. */
export function readGrants(node: Node | undefined, section: "configs" | "secrets", scope: Scope): readonly ReadGrant[] {
  return itemsOf(node).flatMap((item, index) => {
    const at: At = { path: step(`${scope.path}.${section}`, index), scope };
    const source = textOf(child(item, "source"));
    if (source === null || source === "") {
      refuse(scope, {
        code: "E_MISSING_KEY",
        place: item.place,
        message: `\`${at.path}\` has no \`source\``,
        hint: `name one of the top-level \`${section}\``,
      });
      return [];
    }
    const target = readTarget(child(item, "target") ?? item, { ...at, source, directory: section === "secrets" ? "/run/secrets" : "/" });
    const [uid, gid] = [readId(child(item, "uid"), "uid", at), readId(child(item, "gid"), "gid", at)];
    const mode = readMode(child(item, "mode"), at);
    if (target === null || uid === null || gid === null || mode === null) return [];
    return [{ grant: { source, target, uid, gid, mode }, place: item.place }];
  });
}

/** Refuses files at a place that something else has. */
export function checkTargets(
  { grants, mounts }: { readonly grants: readonly ReadGrant[]; readonly mounts: readonly ReadMount[] },
  scope: Scope,
): void {
  const taken = new Map(mounts.map(({ mount, place }) => [mount.target, place]));
  for (const { grant, place } of grants) {
    const before = taken.get(grant.target);
    taken.set(grant.target, before ?? place);
    if (before === undefined) continue;
    scope.report.add({
      code: "E_MOUNT",
      message: `\`${scope.path}\` has ${quote(grant.target)} twice`,
      hint: "give one of the two another `target`",
      source: sourceOf(place),
      related: [{ source: sourceOf(before), message: "first taken here" }],
    });
  }
}

interface At {
  readonly path: string;
  readonly scope: Scope;
}

/** Read by everybody: who can start a program in the container is trusted with what it is given. */
const DEFAULT_MODE = 0o444;

function readTarget(
  node: Node,
  { path, scope, source, directory }: At & { readonly source: string; readonly directory: string },
): string | null {
  const text = (node.kind === "scalar" ? textOf(node) : null) || source;
  const clean = absolute(text, directory);
  const problem = /[\u0000-\u001f]/.test(text)
    ? "it has a control character"
    : clean === "/" || text.endsWith("/")
      ? "it names no file"
      : null;
  if (problem === null) return clean;
  return refuse(scope, {
    code: "E_MOUNT",
    place: node.place,
    message: `\`${path}\` has the target ${quote(text)}: ${problem}`,
    hint: "the target is the file's path inside the container: /etc/app.conf",
  });
}

function readId(node: Node | undefined, key: "uid" | "gid", { path, scope }: At): number | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return 0;
  if (/^[0-9]{1,10}$/.test(text) && Number(text) <= MOST_ID) return Number(text);
  return refuse(scope, {
    place: node.place,
    message: `\`${path}.${key}\` is ${quote(text)}: it must be a number`,
    hint: "names are known inside the image only: `id NAME` there tells the number",
  });
}

const MOST_ID = 2 ** 31 - 1;

function readMode(node: Node | undefined, { path, scope }: At): number | null {
  const text = textOf(node);
  if (node === undefined || node.kind !== "scalar" || text === null || text === "") return DEFAULT_MODE;
  const octal = /^(?:0o?)?[0-7]+$/.test(text) ? Number.parseInt(text.replace("o", ""), 8) : null;
  const bits = typeof node.value === "number" ? node.value : octal;
  if (bits !== null && bits >= 0 && bits <= 0o777) return bits;
  return refuse(scope, {
    place: node.place,
    message: `\`${path}.mode\` is ${quote(text)}: it must be permission bits such as 0440`,
    hint: "octal, at most 0777",
  });
}
