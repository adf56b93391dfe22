import type { Reference } from "../model/reference.ts";
import { partsOf } from "../model/reference.ts";
import { basesOf } from "./registry/address.ts";
import { Registry } from "./registry/client.ts";
import { findCredential } from "./registry/credentials.ts";
import type { Repository } from "./registry/pull-api.ts";
import { openTransport } from "./registry/transport.ts";

export interface RegistriesOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly insecureRegistries: readonly string[];
}

/** The registries that a process speaks to: one each, so that connections, tokens and what was learned of them are shared. */
export class Registries {
  readonly #options: RegistriesOptions;
  readonly #transport = openTransport();
  readonly #known = new Map<string, Registry>();

  constructor(options: RegistriesOptions) {
    this.#options = options;
  }

  /** Where a reference's repository is. `note` hears of credential helpers that do not work. */
  repository(reference: Reference, note: (message: string) => void): Repository {
    const { domain, path } = partsOf(reference);
    const { env, insecureRegistries } = this.#options;
    const registry =
      this.#known.get(domain) ??
      new Registry({
        bases: basesOf(domain, insecureRegistries),
        transport: this.#transport,
        credential: () => findCredential(domain, { env, note }),
      });
    this.#known.set(domain, registry);
    return { registry, path };
  }

  close(): void {
    this.#transport.close();
  }
}
