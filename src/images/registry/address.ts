/** Where a registry of an image's name is: its base addresses, the likeliest first. */
import { isIP } from "node:net";

export interface Base {
  readonly url: URL;
  /** Any certificate will do. */
  readonly insecure: boolean;
}

/** Docker Hub's registry answers under another name than its images have. */
const DOCKER_HUB = { domain: "docker.io", host: "registry-1.docker.io" };

/**
 * https for all but registries on this machine and those listed as insecure: the former are tried over http first (unless the port is
 * https' own), the latter over https with any certificate, then over http.
 */
export function basesOf(domain: string, insecureRegistries: readonly string[]): readonly Base[] {
  const host = domain === DOCKER_HUB.domain ? DOCKER_HUB.host : domain;
  const plain: Base = { url: new URL(`http://${host}/`), insecure: false };
  const lax: Base = { url: new URL(`https://${host}/`), insecure: true };
  if (isLoopback(plain.url.hostname)) return domain.endsWith(":443") ? [lax, plain] : [plain, lax];
  return insecureRegistries.includes(domain) ? [lax, plain] : [{ ...lax, insecure: false }];
}

export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || (isIP(hostname) === 4 && hostname.startsWith("127."));
}
