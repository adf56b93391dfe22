/** What users say about registries besides image names: which have mirrors, and which need no TLS. */

/** A registry that has copies of another's images. */
export interface RegistryMirror {
  /** Domain of the images that it has: `docker.io`. */
  readonly of: string;
  /** `host[:port]` */
  readonly host: string;
  /** As it was given; `null`: as for any registry of this host. */
  readonly scheme: "http" | "https" | null;
  /** Repositories have this before their own path; empty where they have not. */
  readonly prefix: string;
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/;
const MIRROR = /^([^=]+)=(?:(https?):\/\/)?([^/]+)((?:\/[a-z0-9][a-z0-9._-]*)*)\/?$/;
const SUBNET = /^[0-9A-Fa-f.:]+\/\d{1,3}$/;

/** `docker.io=mirror.example:5000`, also with a scheme and a path: `ghcr.io=https://harbor.example/ghcr`. */
export function parseMirror(text: string): RegistryMirror | { readonly problem: string } {
  const [, of = "", scheme, host = "", path = ""] = MIRROR.exec(text) ?? [];
  if (!HOST.test(of) || !HOST.test(host)) return { problem: `"${text}" is not a mirror (REGISTRY=[http://]HOST[:PORT][/PATH])` };
  return { of, host, scheme: scheme === "http" || scheme === "https" ? scheme : null, prefix: path.slice(1) };
}

/** What is wrong with an entry of the list of registries without TLS (`HOST`, `HOST:PORT` or a subnet), or `null`. */
export function insecureProblem(text: string): string | null {
  return HOST.test(text) || SUBNET.test(text) ? null : `"${text}" is not a registry (HOST[:PORT]) nor a subnet (10.0.0.0/8)`;
}
