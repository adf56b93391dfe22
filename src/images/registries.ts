import type { Reference } from "../model/reference.ts";
import { partsOf } from "../model/reference.ts";
import type { RegistryMirror } from "../model/registry-settings.ts";
import { type Base, basesOf, basesOfMirror } from "./registry/address.ts";
import { Registry } from "./registry/client.ts";
import { type Credential, findCredential } from "./registry/credentials.ts";
import { Repository } from "./registry/repository.ts";
import { openTransport } from "./registry/transport.ts";
import { once } from "./registry/warnings.ts";

export interface RegistriesOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly insecureRegistries: readonly string[];
  /** Tried before the registries that they mirror, in this order; none unless given. */
  readonly registryMirrors?: readonly RegistryMirror[];
}

/** The registries that a process speaks to: one each, so that connections, tokens and what was learned of them are shared. */
export class Registries {
  readonly #options: RegistriesOptions;
  readonly #transport: ReturnType<typeof openTransport>;
  readonly #known = new Map<string, Registry>();
  readonly #helpers = new Map<string, Promise<Credential | null>>();

  constructor(options: RegistriesOptions) {
    this.#options = options;
    this.#transport = openTransport(options.env);
  }

  /** Where a reference's repository is. `note` hears of helpers and mirrors that do not work, and what registries warn of. */
  repository(reference: Reference, note: (message: string) => void): Repository {
    const { domain, path } = partsOf(reference);
    const { insecureRegistries, registryMirrors = [] } = this.#options;
    const mirrors = registryMirrors
      .filter(({ of }) => of === domain)
      .map((mirror) => ({
        registry: this.#registry(mirror.host, basesOfMirror(mirror, insecureRegistries), note),
        path: mirror.prefix === "" ? path : `${mirror.prefix}/${path}`,
        mirrorOf: domain,
      }));
    const registry = this.#registry(domain, basesOf(domain, insecureRegistries), note);
    return new Repository({ registry, path, mirrors, note, warn: once(note) });
  }

  close(): void {
    this.#transport.close();
  }

  /** Each host has its own credentials, those of its own name: what is for a registry is not for its mirrors. */
  #registry(domain: string, bases: readonly Base[], note: (message: string) => void): Registry {
    const key = `${domain} ${bases.map(({ url }) => url.protocol).join(" ")}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { env } = this.#options;
    const sources = { env, note, helpers: this.#helpers };
    const credential = (path: string): Promise<Credential | null> => findCredential({ domain, path }, sources);
    const registry = new Registry({ bases, transport: this.#transport, credential });
    this.#known.set(key, registry);
    return registry;
  }
}
