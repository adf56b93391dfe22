export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | null;
}

/** Other spellings of an architecture, as `uname -m`, node and users say them. */
const ALIASES: Readonly<Record<string, { readonly architecture: string; readonly variant: string | null }>> = {
  x86_64: { architecture: "amd64", variant: null },
  "x86-64": { architecture: "amd64", variant: null },
  x64: { architecture: "amd64", variant: null },
  ia32: { architecture: "386", variant: null },
  i386: { architecture: "386", variant: null },
  i686: { architecture: "386", variant: null },
  aarch64: { architecture: "arm64", variant: null },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" },
  ppc64el: { architecture: "ppc64le", variant: null },
};

const PART = /^[A-Za-z0-9_-]+$/;

/** `os/architecture[/variant]`, or an architecture alone for Linux. Gives the normal form, or what is wrong. */
export function parsePlatform(text: string): Platform | { readonly problem: string } {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || !parts.every((part) => PART.test(part)))
    return { problem: `"${text}" is not a platform (os/architecture[/variant])` };
  const [first = "", second, variant = null] = parts;
  if (second === undefined) return normalPlatform({ os: "linux", architecture: first, variant: null });
  return normalPlatform({ os: first, architecture: second, variant });
}

/** One spelling for equal platforms: aliases resolved, the variant that a bare name means left out (`arm64/v8` is `arm64`, `arm` is `arm/v7`). */
export function normalPlatform(platform: Platform): Platform {
  const alias = Object.hasOwn(ALIASES, platform.architecture) ? ALIASES[platform.architecture] : undefined;
  const architecture = alias?.architecture ?? platform.architecture;
  const variant = platform.variant ?? alias?.variant ?? null;
  if (architecture === "arm64" && (variant === "v8" || variant === "8")) return { os: platform.os, architecture, variant: null };
  if (architecture === "amd64" && variant === "v1") return { os: platform.os, architecture, variant: null };
  if (architecture === "arm") return { os: platform.os, architecture, variant: armVariant(variant) };
  return { os: platform.os, architecture, variant };
}

/** `linux/arm/v7`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === null ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** What a machine of this platform can run, the best first: its own, then what is older and still runs there. */
export function runnable(platform: Platform): readonly Platform[] {
  const { os, architecture, variant } = normalPlatform(platform);
  const on = (name: string, versions: readonly (string | null)[]): readonly Platform[] =>
    versions.map((version) => ({ os, architecture: name, variant: version }));
  switch (architecture) {
    case "amd64":
      return [...on("amd64", downFrom(["v4", "v3", "v2", null], variant)), ...on("386", [null])];
    case "arm64":
      return [...on("arm64", variant === null ? [null] : [variant, null]), ...on("arm", ARM_VARIANTS)];
    case "arm":
      return on("arm", downFrom(ARM_VARIANTS, variant));
    default:
      return on(architecture, variant === null ? [null] : [variant, null]);
  }
}

const ARM_VARIANTS: readonly string[] = ["v8", "v7", "v6", "v5"];

/** `arm` alone means v7; `7` is `v7`. */
function armVariant(variant: string | null): string {
  if (variant === null) return "v7";
  return /^\d$/.test(variant) ? `v${variant}` : variant;
}

/** The tail of a list that begins at a value; all it can be sure of, the value itself, when the list does not know it. */
function downFrom<T>(list: readonly T[], from: T): readonly T[] {
  const at = list.indexOf(from);
  return at === -1 ? [from] : list.slice(at);
}
