/** Root file systems for images of tests: a static busybox with its applets, and a small web server on top of it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { ImageConfig } from "../../src/engine/images.ts";
import { type TarEntry, tar } from "./tar.ts";

const BUSYBOX = "/bin/busybox";
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface RootfsOptions {
  /** Further entries, added last: what is there already is replaced. */
  readonly entries?: readonly TarEntry[];
}

/** What an image of `webRootfs` says about itself: it shows a green page on port 3000 unless told another COLOR. */
export const WEB_CONFIG: ImageConfig = {
  Cmd: ["/usr/bin/colors"],
  Env: [PATH, "COLOR=green"],
  ExposedPorts: { "3000/tcp": {} },
};

/** The text of `/usr/share/web/index.html` in `webRootfs`. */
export const WEB_PAGE = "<h1>It works!</h1>\n";

/** What an image of `busyboxRootfs` needs to be handy: only a path, and no command. */
export const BUSYBOX_CONFIG: ImageConfig = { Env: [PATH] };

/** An uncompressed tar of a root file system with a shell and the usual tools; users `root` and `web` (1000). */
export function busyboxRootfs(options: RootfsOptions = {}): Buffer {
  const busybox = readFileSync(BUSYBOX);
  const directory = (path: string, mode = 0o755): TarEntry => ({ path: `${path}/`, type: "directory", mode });
  return tar([
    directory("."),
    ...["bin", "dev", "etc", "home", "lib", "proc", "run", "sbin", "srv", "sys", "usr", "usr/bin", "usr/share", "var"].map((path) =>
      directory(path),
    ),
    directory("root", 0o700),
    directory("tmp", 0o1777),
    { path: "home/web/", type: "directory", uid: 1000, gid: 1000 },
    { path: "bin/busybox", content: busybox, mode: 0o755 },
    ...applets().map((name): TarEntry => ({ path: `bin/${name}`, type: "symlink", target: "busybox" })),
    {
      path: "etc/passwd",
      content: "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000:web:/home/web:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    },
    { path: "etc/group", content: "root:x:0:\nweb:x:1000:\nwheel:x:10:root,web\nnogroup:x:65534:\n" },
    { path: "etc/os-release", content: 'NAME="busybox"\nID=busybox\n' },
    ...(options.entries ?? []),
  ]);
}

/**
 * `busyboxRootfs` with a web server: `/usr/bin/colors` writes a page that shows $COLOR and serves it on port $PORT (3000); it ends with 0 at
 * once on SIGTERM, also as the first process. `/usr/share/web/index.html` is there to be printed.
 */
export function webRootfs(options: RootfsOptions = {}): Buffer {
  return busyboxRootfs({
    entries: [
      { path: "usr/bin/colors", content: COLORS, mode: 0o755 },
      { path: "usr/share/web/", type: "directory" },
      { path: "usr/share/web/index.html", content: WEB_PAGE },
      ...(options.entries ?? []),
    ],
  });
}

const COLORS = `#!/bin/sh
# A first process has no default signal handlers: without the trap it would outlive SIGTERM.
trap 'kill "$server" 2>/dev/null; exit 0' TERM INT
mkdir -p /tmp/page
printf '<!doctype html><body style="background: %s"><h1>%s</h1></body>\\n' "$COLOR" "$COLOR" > /tmp/page/index.html
httpd -f -p "\${PORT:-3000}" -h /tmp/page &
server=$!
echo "showing $COLOR on port \${PORT:-3000}"
wait "$server"
`;

function applets(): readonly string[] {
  const names = execFileSync(BUSYBOX, ["--list"], { encoding: "utf8" }).split("\n");
  return names.filter((name) => name !== "" && name !== "busybox");
}
