/** Attributes of one word or number: each reader gives the model's value, or the default when it is absent or refused. */
import { signalName } from "../../lib/signal.ts";
import { isContainerName } from "../../model/names.ts";
import { formatPlatform, parsePlatform } from "../../model/platform.ts";
import { parseDuration } from "../../model/quantity.ts";
import { parseReference, type Reference } from "../../model/reference.ts";
import { type PullPolicy, USUAL_GRACE_MS } from "../../model/service.ts";
import { suggestion } from "../../model/suggest.ts";
import { child, type Entry, entry, itemsOf, type Node, numberOf, textOf } from "../node.ts";
import { step } from "../path.ts";
import { unsupported } from "../support.ts";
import { listing, quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** Most containers of one service: far more than one machine runs. */
const MOST_REPLICAS = 1000;

/** Milliseconds that a stop waits where nothing is said. */

/** `null` when there is none that can be used: the report says why. */
export function readImage(name: string, service: Entry, scope: Scope): Reference | null {
  const node = child(service.value, "image");
  const text = textOf(node);
  const build = entry(service.value, "build");
  if (build !== undefined) unsupported(`${scope.path}.build`, build, scope);
  const provider = entry(service.value, "provider");
  if (provider !== undefined)
    return refuse(scope, {
      code: "E_NO_IMAGE",
      place: provider.place,
      message: `service ${quote(name)} is run by a \`provider\`, which wharf does not call yet`,
      hint: "leave the service out, or run it by itself and name it in `environment`",
    });
  if (node === undefined || text === null || text === "") {
    if (build !== undefined)
      refuse(scope, {
        code: "E_NO_IMAGE",
        place: build.place,
        message: `service ${quote(name)} has no \`image\`, and \`build\` is not supported yet`,
        hint: "build the image with another tool and name it with `image:`",
      });
    return null; // where nothing is said at all the consistency check has said so
  }
  const reference = parseReference(text);
  if (typeof reference === "string") return reference;
  const message = `\`${scope.path}.image\` is ${quote(text)}: ${reference.problem}`;
  return refuse(scope, { code: "E_IMAGE_NAME", place: node.place, message, hint: "write [registry/]name[:tag], such as nginx:1.27" });
}

export function readContainerName(service: Node, scope: Scope): string | null {
  const at = entry(service, "container_name");
  const text = textOf(at?.value);
  if (at === undefined || text === null) return null;
  if (isContainerName(text)) return text;
  const message = `\`${step(scope.path, at.spelled)}\` is ${quote(text)}: it cannot name a container`;
  return refuse(scope, {
    code: "E_CONTAINER_NAME",
    place: at.value.place,
    message,
    hint: "letters, digits, `_`, `.` and `-`, beginning with a letter or digit",
  });
}

export function readHostname(node: Node | undefined, scope: Scope): string | null {
  const text = textOf(node);
  if (node === undefined || text === null) return null;
  if (/^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,62}$/.test(text)) return text;
  const message = `\`${scope.path}.hostname\` is ${quote(text)}: it cannot name a host`;
  return refuse(scope, { place: node.place, message, hint: "at most 63 letters, digits, `-` and `.`" });
}

export function readWorkingDir(node: Node | undefined, scope: Scope): string | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return null;
  if (text.startsWith("/") && !/[\u0000-\u001f]/.test(text)) return text;
  const message = `\`${scope.path}.working_dir\` is ${quote(text)}: it must be an absolute path`;
  return refuse(scope, { place: node.place, message, hint: `write \`/${text.replace(/^\.?\/*/, "")}\` if it lies at the top` });
}

export function readUser(node: Node | undefined, scope: Scope): string | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return null;
  if (/^[^\s:\u0000-\u001f]+(?::[^\s:\u0000-\u001f]+)?$/.test(text)) return text;
  return refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.user\` is ${quote(text)}: it must be user or user:group`,
    hint: "names or numbers: 1000:1000",
  });
}

export function readPullPolicy(node: Node | undefined, scope: Scope): PullPolicy {
  const text = textOf(node);
  if (node === undefined || text === null) return "missing";
  if (text === "always" || text === "never" || text === "missing") return text;
  if (text === "if_not_present") return "missing";
  if (/^(?:build|refresh|daily|weekly|every_(?:[0-9]+[wdhms])+)$/.test(text))
    unsupported(`${scope.path}.pull_policy: ${text}`, node, scope);
  else {
    const message = `\`${scope.path}.pull_policy\` is ${quote(text)}: it must be ${listing(PULL_POLICIES, "or")}`;
    refuse(scope, { place: node.place, message, ...suggestion(text, PULL_POLICIES) });
  }
  return "missing";
}

const PULL_POLICIES = ["always", "missing", "never"] as const;

export function readPlatform(node: Node | undefined, scope: Scope): string | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return null;
  const platform = parsePlatform(text);
  if (!("problem" in platform)) return formatPlatform(platform);
  return refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.platform\` is ${quote(text)}: it is not a platform`,
    hint: "write os/architecture, such as linux/arm64",
  });
}

export function readStopSignal(node: Node | undefined, scope: Scope): string | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return null;
  const name = signalName(text);
  if (name !== null) return name;
  return refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.stop_signal\` is ${quote(text)}: it is no signal`,
    hint: "write a name such as SIGTERM or a number",
  });
}

/** Milliseconds. What is no duration has been refused before. */
export function readGracePeriod(node: Node | undefined): number {
  const ms = parseDuration(textOf(node) ?? "10s");
  return typeof ms === "number" ? ms : USUAL_GRACE_MS;
}

/** `scale` or `deploy.replicas`: 1 when neither is given. */
export function readScale(service: Node, scope: Scope): number {
  const own = checkCount(child(service, "scale"), "scale", scope);
  const deployed = checkCount(child(child(service, "deploy"), "replicas"), "deploy.replicas", scope);
  return own ?? deployed ?? 1;
}

function checkCount(node: Node | undefined, key: string, scope: Scope): number | null {
  const count = numberOf(node);
  if (node === undefined || count === null) return null;
  if (count <= MOST_REPLICAS) return count;
  return refuse(scope, { place: node.place, message: `\`${scope.path}.${key}\` is ${count}: it must be 0 to ${MOST_REPLICAS}` });
}

/** Capability names without `CAP_`, upper case, sorted. */
export function readCapabilities(node: Node | undefined, path: string, scope: Scope): readonly string[] {
  if (node === undefined) return [];
  const names = itemsOf(node).flatMap((item, index) => {
    const text = textOf(item) ?? "";
    const name = text.toUpperCase().replace(/^CAP_/, "");
    if (/^[A-Z][A-Z0-9_]*$/.test(name)) return [name];
    refuse(scope, {
      place: item.place,
      message: `\`${step(path, index)}\` is ${quote(text)}: it cannot name a capability`,
      hint: "such as NET_ADMIN",
    });
    return [];
  });
  return [...new Set(names)].sort();
}
