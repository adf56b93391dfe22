/** Images of real software for tests. Run as a program it fetches them beforehand: that is what `./setup --tests` does. */
import { type DebianImage, type DebianImages, debianImages } from "./debian.ts";
import type { TarEntry } from "./tar.ts";

const SHELL = ["dash", "coreutils"];

const BASICS: readonly TarEntry[] = [
  {
    path: "etc/passwd",
    content: "root:x:0:0::/root:/bin/sh\nsvc:x:999:999::/:/bin/sh\nnode:x:1000:1000::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
  },
  { path: "etc/group", content: "root:x:0:\nsvc:x:999:\nnode:x:1000:\nnogroup:x:65534:\n" },
  { path: "tmp/", type: "directory", mode: 0o1777 },
  ...["dev", "proc", "run", "sys", "root"].map((name): TarEntry => ({ path: `${name}/`, type: "directory", mode: 0o755 })),
];

const owned = (path: string): TarEntry => ({ path, type: "directory", mode: 0o700, uid: 999, gid: 999 });

const IMAGES = {
  postgres: {
    packages: [...SHELL, "postgresql"],
    versioned: "usr/lib/postgresql",
    entries: [...BASICS, owned("var/lib/postgresql/data/"), { path: "var/run/postgresql/", type: "directory" }],
  },
  redis: { packages: [...SHELL, "redis-server", "redis-tools"], entries: [...BASICS, owned("data/")] },
  nginx: { packages: [...SHELL, "nginx"], entries: BASICS },
  node: { packages: [...SHELL, "nodejs", "postgresql-client"], versioned: "usr/lib/postgresql", entries: BASICS },
} as const satisfies Record<string, DebianImage>;

export function shopImages(say: (text: string) => void): DebianImages<keyof typeof IMAGES> {
  return debianImages(IMAGES, say);
}

if (process.argv[1] === import.meta.filename) {
  const { reason } = shopImages((text) => console.log(`setup: ${text}`));
  if (reason !== null) console.log(`setup: ${reason}: tests on real software will be skipped`);
}
