/**
 * Every diagnostic code, what family of exit status it belongs to, and the longer text of `wharf explain CODE`.
 * A test checks that each code used is here and each one here is used.
 */
export type Family =
  | "spec" // the file is wrong: exit 3, nothing was touched
  | "usage" // the command line is wrong: exit 64
  | "engine" // no engine can work here: exit 69
  | "locked" // another wharf holds the project: exit 75
  | "timeout" // exit 5
  | "failed" // a step did not happen: exit 1
  | "warning";

interface Entry {
  readonly family: Family;
  readonly explain: string;
}

export const CODES = {
  E_BIND_SOURCE: { family: "failed", explain: "A bind mount shows a path of this machine inside the container, and that path does not exist. The short form makes a missing directory; the long form only with `create_host_path: true`." },
  E_CAPABILITY_UNKNOWN: {
    family: "failed",
    explain:
      "cap_add and cap_drop take names of Linux capabilities without CAP_ (NET_ADMIN), or ALL. capabilities(7) lists them.",
  },
  E_COMMAND_NOT_EXECUTABLE: { family: "failed", explain: "The program is in the image, but it may not be executed: it lacks the x bit, or it is a script without an interpreter line." },
  E_COMMAND_NOT_FOUND: { family: "failed", explain: "The program that the container should run is not in its image. Check `cmd` and `entrypoint`; a string is split into words as a shell would, but no shell runs it. `wharf run SERVICE sh` opens a shell to look around." },
  E_ENGINE_INCOMPLETE: { family: "engine", explain: "The oci engine starts containers through programs of the operating system: an OCI runtime (runc or crun), conmon, and nft. At least one of them is not installed. `wharf doctor` names each and the command that installs it." },
  E_IMAGE_ABSENT: { family: "failed", explain: "The image is not in the store and the pull policy says not to fetch it. `wharf pull` fetches it." },
  E_INTERNAL: {
    family: "failed",
    explain: "Something went wrong that wharf did not foresee. Run the command again with --verbose and report what it prints.",
  },
  E_NAME_TAKEN: { family: "failed", explain: "A container name is unique on a machine. Remove the container that has it, or give the service another `name` (container_name)." },
  E_NEEDS_ANSWER: {
    family: "usage",
    explain:
      "The command would lose data and has to ask first, but standard input is no terminal. Run it in a terminal, or give -y to say yes to every question.",
  },
  E_NETWORK_FULL: { family: "failed", explain: "Every address (or every subnet) that wharf may give out is taken. Remove containers or projects that are no longer needed." },
  E_NETWORK_IN_USE: { family: "failed", explain: "A network is removed only after the containers that have an address in it." },
  E_NOTHING_TO_RUN: {
    family: "failed",
    explain:
      "A container lives as long as its first process, and this image names none: it has neither Cmd nor Entrypoint. Give the service a command (`cmd: sleep infinity`), or open a shell in it with `wharf run -it SERVICE sh`.",
  },
  E_NOT_RUNNING: {
    family: "failed",
    explain:
      "A program can only be run inside a container that runs. `wharf ps -a` says in what state it is, `wharf up -d` starts what the spec describes.",
  },
  E_NO_PRIVILEGE: { family: "engine", explain: "The oci engine makes namespaces, mounts and packet-filter rules, which only root may do. Run wharf with sudo, or choose another engine with --engine." },
  E_NO_SUCH_CONTAINER: { family: "failed", explain: "No container has this name. `wharf ps -a` lists the containers of a project, `wharf ls -a` the projects." },
  E_NO_SUCH_NETWORK: { family: "failed", explain: "The network does not exist. `wharf up` makes the networks of a project; one that was removed behind its back comes back with the next `wharf up`." },
  E_NO_SUCH_OBJECT: {
    family: "failed",
    explain:
      "No container and no image has this name or id. `wharf ps -a` lists the containers of a project, `wharf ls -a` the projects, `wharf image ls` the images.",
  },
  E_NOT_PUBLISHED: {
    family: "failed",
    explain: "The container does not publish this port. Ports are published with `ports:` in the spec; `wharf ps` shows those that are.",
  },
  E_PORTS: { family: "failed", explain: "The rules that publish ports could not be loaded into the kernel with nft. `wharf doctor` checks that nftables works on this machine." },
  E_PORT_TAKEN: { family: "failed", explain: "Two programs cannot listen on one port of one address. The message names who has it. Stop that one, or publish the port under another number." },
  E_ROOTFS: { family: "failed", explain: "The root file system of a container is its image's layers stacked by overlayfs. The kernel refused to mount it: WHARF_ROOT must lie on a file system that can carry an overlay (ext4, xfs with ftype=1, btrfs), not on an overlay or a network file system." },
  E_ROOTFS_PATH: {
    family: "failed",
    explain:
      "A path inside the image leads nowhere that wharf may go: through a circle of symbolic links, below a file, or to something of another kind than is needed. Links are followed only inside the container's own file system.",
  },
  E_START: { family: "failed", explain: "The OCI runtime refused to start the container. Its own words are in the message." },
  E_STILL_RUNNING: { family: "failed", explain: "A running container is removed only with -f, which stops it first." },
  E_UNKNOWN_COMMAND: {
    family: "usage",
    explain: "wharf has no command of this name. `wharf --help` lists them all.",
  },
  E_UNKNOWN_FLAG: {
    family: "usage",
    explain:
      "The command has no flag of this name. `wharf COMMAND --help` lists its flags; global flags such as -f and -p may stand before the command.",
  },
  E_USAGE: {
    family: "usage",
    explain:
      "The command line cannot be understood: an argument is missing, one is too many, or a value is not of the kind that the flag takes.",
  },
  E_USER_UNKNOWN: {
    family: "failed",
    explain:
      'A user or group given by name is looked up in /etc/passwd and /etc/group of the image, and is not there. A number (`user: "1000:1000"`) needs no entry.',
  },
  E_VOLUME_NAME: { family: "failed", explain: "A volume name starts with a letter or digit and holds letters, digits, dots, dashes and underscores." },
} as const satisfies Record<`E_${string}` | `W_${string}`, Entry>;

export type Code = keyof typeof CODES;

/** Exit statuses by family, as `cli.md` lists them. */
export const EXIT = { spec: 3, usage: 64, engine: 69, locked: 75, timeout: 5, failed: 1, warning: 0 } as const satisfies Record<
  Family,
  number
>;

/** The exit status for a set of codes: the most specific family wins over a plain failure. */
export function exitStatus(codes: readonly Code[]): number {
  const families = new Set<Family>(codes.map((code) => CODES[code].family));
  for (const family of ["usage", "spec", "locked", "engine", "timeout", "failed"] as const) if (families.has(family)) return EXIT[family];
  return 0;
}
