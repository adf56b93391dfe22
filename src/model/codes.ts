/**
 * Every diagnostic code, what family of exit status it belongs to, and the longer text of `wharf explain CODE`.
 * A test checks that each code used is here and each one here is used.
 */
export type Family =
  | "spec" // the file is wrong: exit 3, nothing was touched
  | "usage" // the command line is wrong: exit 64
  | "engine" // no engine can work here: exit 69
  | "locked" // another wharf holds the project: exit 75
  | "failed" // a step did not happen: exit 1
  | "warning";

interface Entry {
  readonly family: Family;
  readonly explain: string;
}

export const CODES = {
  E_ADDRESS: {
    family: "spec",
    explain:
      "A service asks for an address that it cannot have: it is none, it does not lie in the network's subnet, the network has none that was chosen by you (`ipam.config`), another service has it, or several containers would share it.",
  },
  E_ADDRESS_TAKEN: {
    family: "failed",
    explain:
      "A container asks for a fixed address (`ipv4_address`, `ipv6_address`) in a network, and another container that runs has it, it is the gateway's, or the network has no such addresses. Choose another one; without it a free one is given.",
  },
  E_ALIAS: {
    family: "spec",
    explain:
      "A YAML alias (`*name`) or merge key (`<<`) cannot be followed: its anchor is not defined above it, it refers to the value that it is a part of, it is no mapping where one is merged, or the aliases of the file multiply into more values than any spec has. Anchors are set with `&name` before a value.",
  },
  E_API_SOCKET: {
    family: "spec",
    explain:
      "`use_api_socket` gives a container the socket of the Docker daemon, to make other containers with. Here is no daemon and no such socket. Where Docker runs beside wharf, bind mount /var/run/docker.sock and mind that who has it has the machine.",
  },
  E_ARCHIVE: {
    family: "failed",
    explain:
      "What was given to `image load` is no archive of images: it is no tar, it lacks the files that say what its images are, a file is not what its digest says, or it was cut off. Nothing of it was taken in. `wharf image save` and `docker save` make such archives; the tar of a root file system is for `image import`.",
  },
  E_BIND_SOURCE: {
    family: "failed",
    explain:
      "A bind mount shows a path of this machine inside the container, and that path does not exist. The short form makes a missing directory; the long form only with `create_host_path: true`.",
  },
  E_BOTH_SPELLINGS: {
    family: "spec",
    explain:
      "A service has a short name of wharf's and the name of Compose that means the same: `cmd` and `command`, `env` and `environment`, or `name` and `container_name`. Which one should count cannot be known, so keep one of them.",
  },
  E_BRIDGE_TAKEN: {
    family: "failed",
    explain:
      "A network names its bridge (`com.docker.network.bridge.name` in `driver_opts`), and this machine has an interface of that name already, or another network does. wharf takes over no interface that it did not make: choose another name.",
  },
  E_CANCELLED: {
    family: "failed",
    explain: "The command was interrupted while this step was under way. Run it again to go on: what is done stays done.",
  },
  E_CAPABILITY_UNKNOWN: {
    family: "failed",
    explain: "cap_add and cap_drop take names of Linux capabilities without CAP_ (NET_ADMIN), or ALL. capabilities(7) lists them.",
  },
  E_COMMAND_NOT_EXECUTABLE: {
    family: "failed",
    explain: "The program is in the image, but it may not be executed: it lacks the x bit, or it is a script without an interpreter line.",
  },
  E_COMMAND_NOT_FOUND: {
    family: "failed",
    explain:
      "The program that the container should run is not in its image. Check `cmd` and `entrypoint`; a string is split into words as a shell would, but no shell runs it. `wharf run SERVICE sh` opens a shell to look around.",
  },
  E_COMMIT: {
    family: "failed",
    explain:
      "`wharf commit` cannot make a layer of what a container changed in its files: the kernel wrote it down in a way that images have no words for, or a file's name begins with `.wh.`, by which layers say that something is gone. `wharf export` writes all of its files as one archive, and `wharf image import` makes an image of that.",
  },
  E_CONFLICT: {
    family: "spec",
    explain:
      "Two attributes say the same thing differently, or cannot stand beside each other: `network_mode` and `networks`, `dockerfile` and `dockerfile_inline`, `mem_limit` and `deploy.resources.limits.memory`, the sources of one secret or config. Keep one of them.",
  },
  E_CONTAINER_NAME: {
    family: "spec",
    explain:
      "A fixed container name (`name` or `container_name`) cannot be used: it has characters that a name cannot have, or its service runs more than one container. Without a fixed name containers are called project-service-number.",
  },
  E_CONTENT_MISSING: {
    family: "spec",
    explain:
      "A config or secret that a service uses has no content: its file is not there or cannot be read, or the variable that holds it is not set. Nothing was touched. Commands that make no container (`down`, `logs`, `ps`) work all the same.",
  },
  E_CONTENT_UNSUPPORTED: {
    family: "spec",
    explain:
      "A config or secret is to come from a cluster (`external`, `driver`, `template_driver`), and there is none here. Give its content with `file:` or `environment:`.",
  },
  E_COPY: {
    family: "failed",
    explain:
      "`cp` cannot copy as it was asked: there is nothing at the source, the place to copy to does not exist, a directory would replace a file or a file a directory, or the archive on standard input has a path that leads out of the directory. As with `docker cp`, a directory goes into one that is there and becomes a new one where nothing is, `DIR/.` stands for what is in it, and the directory above the target must exist.",
  },
  E_CREDENTIALS: {
    family: "failed",
    explain:
      "A file with registry credentials (~/.docker/config.json, containers' auth.json) cannot be read or is not the JSON that it should be. The message names the file. Mend it, or log in again with the tool that wrote it.",
  },
  E_DEPENDENCY_CYCLE: {
    family: "spec",
    explain:
      "Services wait for each other in a circle through `depends_on`, so none of them could be the first to start. The message draws the circle; take one of its dependencies out.",
  },
  E_DEPENDENCY_FAILED: {
    family: "failed",
    explain:
      "A service waits for another one to end with status 0 (service_completed_successfully), and that one ended with another status.",
  },
  E_DIGEST_MISMATCH: {
    family: "failed",
    explain:
      "What a registry sent is not what its digest says: the content was damaged or changed on the way. Nothing of it is used. Try again; if it stays, the registry or a proxy before it is broken.",
  },
  E_DISK_FULL: {
    family: "failed",
    explain:
      "The file system that wharf keeps images and containers on (or that of its working state, by default below /run) has no room or no file entries left, or a quota is used up. What was begun is taken back; nothing that runs is touched. `wharf image du` says what images take, `wharf image prune -a` and `wharf volume prune` make room.",
  },
  E_DUPLICATE_KEY: {
    family: "spec",
    explain: "A mapping in the YAML file has the same key twice. YAML readers would silently keep one of the two, so wharf asks you to.",
  },
  E_EMPTY_SPEC: {
    family: "spec",
    explain:
      "The spec files have nothing in them but blanks and comments. A spec begins with `services:`; examples are in the directory `examples`.",
  },
  E_ENGINE_INCOMPLETE: {
    family: "engine",
    explain:
      "The oci engine starts containers through programs of the operating system: an OCI runtime (runc or crun), conmon, and nft. At least one of them is not installed. `wharf doctor` names each and the command that installs it.",
  },
  E_ENV_FILE: {
    family: "spec",
    explain:
      "A file of variables (`.env`, --env-file or a service's `env_file`) does not exist or cannot be read as one. Each line is NAME=value, with quotes where needed and comments after #. A service's file may be missing when it says `required: false`.",
  },
  E_EXTENDS: {
    family: "spec",
    explain:
      "A service takes values from another one with `extends`, and that one cannot be used: it is not there, its file cannot be read, or services extend each other in a circle. Without `file` the other service is looked for in the same file only, also where several files are merged.",
  },
  E_GAVE_WAY: {
    family: "failed",
    explain:
      "While this command waited (for a container to get healthy, for an image), a later one ended what it was about: `wharf stop`, `kill`, `rm` and `down` do not wait for one that only waits. Theirs is the later word, so what they ended was left to them. Run this command again to go on with it.",
  },
  E_HOOK: {
    family: "failed",
    explain:
      "A program of `post_start` or `pre_stop` could not be run or ended with another status than 0. After a failed `post_start` hook the container runs on and the command counts as failed; after a failed `pre_stop` hook the container is not stopped, as with Compose: `wharf kill SERVICE` ends it without asking.",
  },
  E_IMAGE_ABSENT: {
    family: "failed",
    explain:
      "The image is not in the store: a command about images names one that is not there, or a service needs it and its pull policy says not to fetch it. `wharf image ls` lists the store, `wharf pull` fetches what services need.",
  },
  E_IMAGE_AMBIGUOUS: {
    family: "failed",
    explain:
      "More than one thing in the store fits: an id was shortened too far, or an image has several names and it is not clear which to take off. Use more digits of the id, or a name; `wharf image ls` shows both.",
  },
  E_IMAGE_CONTENT_GONE: {
    family: "failed",
    explain:
      "Layers of pulled images are kept unpacked only. To push one to a registry that lacks it, it is fetched again from where it came from, and that registry no longer has it. Import or pull the image again.",
  },
  E_IMAGE_DAMAGED: {
    family: "failed",
    explain:
      "A part of an image in the store is missing or is not what its digest says: the disk lost it, or something else wrote into the store. `wharf image verify` says what is damaged; with --repair it is made again from what is kept, or fetched from the registry that the image came from.",
  },
  E_IMAGE_IN_USE: {
    family: "failed",
    explain:
      "An image stays as long as containers are made from it. Remove them first, or use -f: the image then loses its name and keeps what the containers need.",
  },
  E_IMAGE_LAYER_FOREIGN: {
    family: "failed",
    explain:
      "The image has layers that its registry does not hold itself (foreign, non-distributable layers, as Windows images have). They cannot run here.",
  },
  E_IMAGE_MANIFEST: {
    family: "failed",
    explain:
      "The registry's answer for this name is no image that can run: a manifest of another kind (a chart, a signature), or one that contradicts itself.",
  },
  E_IMAGE_NAME: {
    family: "spec",
    explain:
      "What stands under `image` cannot name an image. The form is [registry/]name[:tag] or [registry/]name@sha256:…; the name is in lower case. Examples: nginx, nginx:1.27, registry.example.com/team/app:v2.",
  },
  E_IMAGE_NOT_FOUND: {
    family: "failed",
    explain:
      "There is no image of this name and tag in the registry that the name leads to. A name without a registry means docker.io; one without a tag means `latest`.",
  },
  E_IMAGE_PLATFORM: {
    family: "failed",
    explain:
      "The image exists, but not for the wanted platform. The message lists those it has. `platform: os/architecture` in the service chooses one.",
  },
  E_IMAGE_SCHEMA1: {
    family: "failed",
    explain: "The registry serves this image only in Docker's first manifest format, given up in 2016. Push it again with a current tool.",
  },
  E_INCLUDE: {
    family: "spec",
    explain:
      "A file that is included cannot be read, files include each other in a circle, or an included file declares something that the including file declares otherwise. Resources of an included file are changed in an override file, not beside the `include`.",
  },
  E_INIT_MISSING: {
    family: "failed",
    explain:
      "`init: true` puts a small program before the command, which hands on signals and reaps processes that lost their parent. wharf takes tini or catatonit from this machine, and found neither.",
  },
  E_INTERNAL: {
    family: "failed",
    explain: "Something went wrong that wharf did not foresee. Run the command again with --verbose and report what it prints.",
  },
  E_INTERPOLATION: {
    family: "spec",
    explain:
      "A text has a dollar sign that does not make a variable. Variables are $NAME, ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?message}, ${NAME?message}, ${NAME:+other} and ${NAME+other}. For a dollar sign that is meant as it is, write $$.",
  },
  E_JOB: {
    family: "failed",
    explain:
      "A job of the spec (`jobs`) runs when `wharf run NAME` asks for it, with what it depends on: it is no service that could be brought up or stopped. One that says `manual: false` is not run by hand. Nobody here runs jobs at times of their own: a spec whose jobs have a `schedule` is not brought up, so that nobody counts on it.",
  },
  E_LAYER_COMPRESSION: {
    family: "failed",
    explain: "Layers are plain tar, gzip or zstd. The data is of another kind, or damaged or cut off.",
  },
  E_LAYER_LIMIT: {
    family: "failed",
    explain:
      "A layer wants more than a layer may have: more entries, longer names, more devices, or more bytes than the disk has room for. The message says which.",
  },
  E_LAYER_LINK: {
    family: "failed",
    explain: "A hard link in a layer points to something that is not there or is a directory, so the file it stands for cannot be made.",
  },
  E_LAYER_PATH: {
    family: "failed",
    explain:
      "A path in a layer tries to leave the layer, goes through a file, or runs in circles through symbolic links. Such an archive is refused and nothing of it is kept.",
  },
  E_LAYER_TAR: {
    family: "failed",
    explain:
      "A layer or root file system is not a tar archive that can be read: damaged, cut off, or of a kind that is not supported (archives in several volumes). Nothing of it is kept.",
  },
  E_LAYER_WRITE: {
    family: "failed",
    explain:
      "The operating system refused to write a file of a layer. The message has its reason. Owners, devices and attributes need root; the store needs a file system with room that keeps them.",
  },
  E_LENDER_MISSING: {
    family: "failed",
    explain:
      "A service lives in the network, process or IPC namespace of another one, or takes its mounts over (`volumes_from`). With --no-deps the other one is left aside, and it has no container. Leave --no-deps out, or bring the other one up first.",
  },
  E_LIMIT: {
    family: "failed",
    explain:
      "A container that runs was to get another limit, and the kernel does not take it: most often it uses more memory than it shall have. Nothing of the change was kept. Let it use less and try again, or let `wharf up --force-recreate` make a new container with the limit.",
  },
  E_LOCKED: {
    family: "locked",
    explain:
      "One command at a time may change a project. Another one is at work on it and did not end in time; the message says which. Wait for it, or end that process.",
  },
  E_LOCK_FILE: {
    family: "spec",
    explain:
      "wharf.lock is written by `wharf lock`: a version, and one line for each image with its digest. What is there cannot be read as that; a merge may have left its marks in it. Restore the file, or make it again with `wharf lock --update`, which asks the registries.",
  },
  E_MACHINE: {
    family: "failed",
    explain:
      "The spec asks for something that this machine cannot give, however it is tried: more processors than it has, a device that is not there, a kernel feature that is missing. The message says what and why. It is found while planning, so nothing was touched.",
  },
  E_MEMORY_FILE: {
    family: "engine",
    explain:
      "The memory engine, which only pretends to run containers, keeps what it pretends in memory.json below WHARF_ROOT. The file cannot be read or written, is damaged, or comes from another version. Remove it: no container is lost by that.",
  },
  E_MISSING_KEY: {
    family: "spec",
    explain: "A mapping in the spec lacks a key that it needs, such as the `target` of a port in its long form. The message names both.",
  },
  E_MOUNT: {
    family: "spec",
    explain:
      "An entry of `volumes` or `tmpfs` cannot be read. The short form is [source:]target[:options]: a source that begins with `/`, `./` or `~` is a path on the host, any other is the name of a volume, and the target is an absolute path in the container.",
  },
  E_NAME: {
    family: "spec",
    explain:
      "A service, volume or network has a name with characters that such a name cannot have. Letters, digits, `.`, `_` and `-` can stand in it.",
  },
  E_NAMESPACE_SHARED: {
    family: "failed",
    explain:
      "`pid` and `ipc` with `service:NAME` or `container:NAME` put a container among the processes, or beside the shared memory, of another one. That one must run, and share its IPC with `ipc: shareable`.",
  },
  E_NAME_TAKEN: {
    family: "failed",
    explain:
      "A container name is unique on a machine. Remove the container that has it, or give the service another `name` (container_name). Two services may ask for the same one as long as only one of them is brought up.",
  },
  E_NEEDS_ANSWER: {
    family: "usage",
    explain:
      "The command would lose data and has to ask first, but standard input is no terminal. Run it in a terminal, or give -y to say yes to every question.",
  },
  E_NETWORK_DRIVER: {
    family: "spec",
    explain:
      "wharf makes bridge networks: containers of this machine in a subnet of their own. Networks of other drivers (macvlan, ipvlan, plugins) are not made. Leave `driver` out; for this machine's own network give the service `network_mode: host`.",
  },
  E_NETWORK_FULL: {
    family: "failed",
    explain: "Every address (or every subnet) that wharf may give out is taken. Remove containers or projects that are no longer needed.",
  },
  E_NETWORK_IN_USE: { family: "failed", explain: "A network is removed only after the containers that have an address in it." },
  E_NETWORK_MISSING: {
    family: "failed",
    explain:
      "A service is on a network that is not the project's own (`external: true`, or named by `network_mode`), and it does not exist. `wharf up` of the project that has it makes it; take `external` away to have it made for this one.",
  },
  E_NETWORK_SHARED: {
    family: "failed",
    explain:
      "A container with `network_mode: service:NAME` or `container:NAME` lives in the network of another container, which has to run first: the one that it names is not there, does not run, or ended just then.",
  },
  E_NOTHING_TO_RUN: {
    family: "failed",
    explain:
      "A container lives as long as its first process, and this image names none: it has neither Cmd nor Entrypoint. Give the service a command (`cmd: sleep infinity`), or open a shell in it with `wharf run -it SERVICE sh`.",
  },
  E_NOT_LOCKED: {
    family: "spec",
    explain:
      "`--locked` runs nothing but what wharf.lock pins: the file is not there, or an image that the spec names is not in it. `wharf lock` asks the registry for what is missing and adds it.",
  },
  E_NOT_PAUSED: {
    family: "failed",
    explain: "`wharf unpause` lets go on what `wharf pause` holds still; these containers are not held. `wharf ps` shows what is.",
  },
  E_NOT_PUBLISHED: {
    family: "failed",
    explain: "The container does not publish this port. Ports are published with `ports:` in the spec; `wharf ps` shows those that are.",
  },
  E_NOT_RUNNING: {
    family: "failed",
    explain:
      "A program can only be run inside a container that runs. `wharf ps -a` says in what state it is, `wharf up -d` starts what the spec describes.",
  },
  E_NOT_STEADY: {
    family: "failed",
    explain:
      "A container that should take another one's place was started, and it ended, or was found unhealthy, before it had run for the time that a new one is watched (`deploy.update_config.monitor` from its start; without that a second, or until it is healthy where its health is checked). The old container is put back and runs as it ran. The message has the last lines that the new one printed; `up --no-rollback` leaves it there to be looked at.",
  },
  E_NO_IMAGE: {
    family: "spec",
    explain:
      "A service says nothing of the image to run. Add `image:` with a name such as nginx:1.27. `build` and `extends` are not supported yet.",
  },
  E_NO_IPV6: {
    family: "failed",
    explain:
      "A network asks for IPv6 addresses (`enable_ipv6`), and the kernel of this machine has no IPv6: it was built or started without. Nothing was made.",
  },
  E_NO_PRIVILEGE: {
    family: "engine",
    explain:
      "The oci engine makes namespaces, mounts and packet-filter rules, which only root may do. Run wharf with sudo, or choose another engine with --engine.",
  },
  E_NO_SPEC: {
    family: "spec",
    explain:
      "There is no spec to work with: no file was named with -f and neither the current directory nor one above it has a wharf.yaml, compose.yaml or docker-compose.yaml, or a file that was named does not exist or cannot be read.",
  },
  E_NO_STARTER: {
    family: "failed",
    explain:
      "Containers cannot be started together with this machine in the way that was asked for: it has neither systemd nor cron, or systemctl refused. --with names the other one; any other start-up can run `wharf autostart run` as root by itself.",
  },
  E_NO_SUCH_CONTAINER: {
    family: "failed",
    explain: "No container has this name. `wharf ps -a` lists the containers of a project, `wharf ls -a` the projects.",
  },
  E_NO_SUCH_NETWORK: {
    family: "failed",
    explain:
      "The network does not exist. `wharf up` makes the networks of a project; one that was removed behind its back comes back with the next `wharf up`.",
  },
  E_NO_SUCH_OBJECT: {
    family: "failed",
    explain:
      "No container and no image has this name or id. `wharf ps -a` lists the containers of a project, `wharf ls -a` the projects, `wharf image ls` the images.",
  },
  E_NO_SUCH_SERVICE: {
    family: "failed",
    explain:
      "The project's spec has no service of this name. `wharf config --services` lists those it has; one that only a profile brings needs --profile.",
  },
  E_NO_TERMINAL: {
    family: "failed",
    explain:
      "`run --tty` is to give the program a terminal, and standard input is none. Without --tty it gets one when you have one, and else reads what comes through the pipe.",
  },
  E_OTHER_DIRECTORY: {
    family: "failed",
    explain:
      "Two directories have the same name, so that the projects in them, which nobody named, would have the same name too, and a command in one of them would change what the other one made. Nothing is done. Give one of them a name: `name` at the top of its spec, -p, or COMPOSE_PROJECT_NAME. A name that is given is taken at its word: -p with the name of the other project means that one. When the other directory is gone, because it was moved or deleted, its containers are taken over.",
  },
  E_PAUSED: {
    family: "failed",
    explain:
      "Nothing in a paused container moves, so no program can begin in it, and it cannot be paused again. `wharf unpause` lets it go on.",
  },
  E_PLAN_FILE: {
    family: "usage",
    explain:
      "The file given to `up --plan` is not what `plan -o` wrote: it is something else, it was changed or cut off, it comes from another version of wharf, or it was made for another engine. A plan is made again in a second: `wharf plan -o FILE`.",
  },
  E_PLAN_STALE: {
    family: "failed",
    explain:
      "A saved plan is carried out exactly as it was shown, or not at all. Since it was made something that it stands on has changed: a container came, went, stopped or was replaced, or an image, a network or a volume. Nothing was done. Make the plan again and look at it.",
  },
  E_PORT: {
    family: "spec",
    explain:
      "An entry of `ports` or `expose` cannot be read. The short form is [[host:]published:]target[/protocol], a port is 1 to 65535, a range is written 8000-8010 and has the same length on both sides, and the protocol is tcp, udp or sctp.",
  },
  E_PORTS: {
    family: "failed",
    explain:
      "The rules that publish ports could not be loaded into the kernel with nft. `wharf doctor` checks that nftables works on this machine.",
  },
  E_PORT_CONFLICT: {
    family: "spec",
    explain:
      "Two services, or two containers of one service, would listen on the same port of the host. Give one of them another host port, publish a range for several containers, or leave the host port out to get any free one.",
  },
  E_PORT_TAKEN: {
    family: "failed",
    explain:
      "Two programs cannot listen on one port of one address. The message names who has it. Stop that one, or publish the port under another number.",
  },
  E_PROJECT_NAME: {
    family: "spec",
    explain:
      "The project's name has characters that it cannot have. It is given with -p, in the variable COMPOSE_PROJECT_NAME, with the top-level key `name` or by the directory, and has lower-case letters, digits, `-` and `_`, the first a letter or digit.",
  },
  E_PUSH_DIGEST: {
    family: "failed",
    explain: "A push gives content a name with a tag. A reference with a digest already names content and cannot be pushed to.",
  },
  E_REGISTRY_ANSWER: {
    family: "failed",
    explain:
      "A registry (or something in its place) answered, but not as a registry does: an error of its own, or something that is not what was asked for. Nothing of it is used.",
  },
  E_REGISTRY_AUTH: {
    family: "failed",
    explain:
      "The registry wants credentials, or does not accept those it got, or they do not allow this. Docker Hub answers the same for images that do not exist. Log in with a tool that writes ~/.docker/config.json or auth.json.",
  },
  E_REGISTRY_RATE_LIMIT: {
    family: "failed",
    explain:
      "The registry limits how much one address or account may pull in a time, and the limit is used up. Wait, or log in: accounts have higher limits.",
  },
  E_REGISTRY_TLS: {
    family: "failed",
    explain:
      "The registry cannot be spoken to over TLS: its certificate is not trusted, has expired or is for another name, or it does not speak TLS at all.",
  },
  E_REGISTRY_UNREACHABLE: {
    family: "failed",
    explain:
      "No connection to the registry: nothing listens there, the name cannot be resolved, or the network does not lead there. Registries on this machine are named with their port (127.0.0.1:5000/name).",
  },
  E_REQUIRED_VARIABLE: {
    family: "spec",
    explain:
      "The spec needs a variable that is not set, or that is empty: it is written as ${NAME:?message} or ${NAME?message}. Set it in the environment of the command or in the file `.env` beside the spec.",
  },
  E_REVISION: {
    family: "usage",
    explain:
      "`rollback` goes back to what an earlier `up` of the whole project made true. The project has no such revision: none was noted yet, the number was never given, or it is so old that it went. `wharf history` lists those there are.",
  },
  E_REVISION_IMAGE: {
    family: "failed",
    explain:
      "A revision ran with an image that was made on this machine, and the image's name stands for another one by now. Images that came from a registry are found again by their digest; one that was imported, loaded or tagged here has none.",
  },
  E_ROOTFS: {
    family: "failed",
    explain:
      "The root file system of a container is its image's layers stacked by overlayfs. The kernel refused to mount it: WHARF_ROOT must lie on a file system that can carry an overlay (ext4, xfs with ftype=1, btrfs), not on an overlay or a network file system.",
  },
  E_ROOTFS_PATH: {
    family: "failed",
    explain:
      "A path inside the image leads nowhere that wharf may go: through a circle of symbolic links, below a file, or to something of another kind than is needed. Links are followed only inside the container's own file system.",
  },
  E_SECRET_GONE: {
    family: "failed",
    explain:
      "Secrets are held in memory only, for as long as their container exists. This one came from a variable and went when the machine was restarted, and the command that starts the container now does not have it either. `wharf up` with the variable set gives it again; a secret with `file:` is read again by itself.",
  },
  E_SIGNAL_UNKNOWN: { family: "failed", explain: "A signal is given by its name, with or without SIG, or by its number." },
  E_START: { family: "failed", explain: "The OCI runtime refused to start the container. Its own words are in the message." },
  E_START_INTERVAL: {
    family: "failed",
    explain:
      "A health check has `start_interval`, how often is looked while the program comes up, and no `start_period`, how long that may take: it would never count. Compose makes no container of such a service either. Say `start_period`, or leave `start_interval` out.",
  },
  E_STILL_RUNNING: { family: "failed", explain: "A running container is removed only with -f, which stops it first." },
  E_STORE_DAMAGED: {
    family: "failed",
    explain:
      "A record of the image store cannot be read, so that it cannot be known what it needs, and nothing is removed for that reason. `wharf image verify --repair` takes the damaged record away and says which image has to be pulled, loaded or imported again.",
  },
  E_SUBNET_TAKEN: {
    family: "failed",
    explain:
      "The subnet that a network asks for (`ipam.config`) has addresses in it already: another network's, or this machine's own. Two networks with the same addresses could not be told apart. Choose another subnet, or leave `ipam` out: then wharf chooses one that nothing uses.",
  },
  E_SUBPATH: {
    family: "failed",
    explain:
      "A mount names a part of a volume that is not in it. The volume itself is as it was. As with Docker the part must be there first: a container that mounts all of the volume can make it. Links in the volume are followed inside it only.",
  },
  E_TOO_LARGE: {
    family: "spec",
    explain: "A file has more bytes than any spec or file of variables. Most likely another file was meant.",
  },
  E_TYPE: {
    family: "spec",
    explain:
      "A value in the spec is of another kind than its place asks for: a single value where a list belongs, a mapping where a text belongs. The message says what is there and what must be.",
  },
  E_UNHEALTHY: {
    family: "failed",
    explain:
      "With --wait a container was waited for that did not come up: it became unhealthy, ended with an error, or ends again and again although its restart policy starts it (eight times). The message names it, with the last lines that it printed; `wharf logs` shows all of them, and `wharf inspect` what its health check said last.",
  },
  E_UNKNOWN_COMMAND: {
    family: "usage",
    explain: "wharf has no command of this name. `wharf --help` lists them all.",
  },
  E_UNKNOWN_CONFIG: {
    family: "spec",
    explain:
      "A service uses a config that the file does not declare under the top-level `configs`. Declare it there, with `file`, `environment` or `content`, or as `external: true`.",
  },
  E_UNKNOWN_FLAG: {
    family: "usage",
    explain:
      "The command has no flag of this name. `wharf COMMAND --help` lists its flags; global flags such as -f and -p may stand before the command.",
  },
  E_UNKNOWN_KEY: {
    family: "spec",
    explain:
      "The spec has a key that neither Compose nor wharf knows at its place, often a misspelled one or one at the wrong level. Keys that begin with `x-` may be anything and are not looked at.",
  },
  E_UNKNOWN_MODEL: {
    family: "spec",
    explain:
      "A service uses an AI model that the file does not declare under the top-level `models`. Declare it there with the `model` that it stands for.",
  },
  E_UNKNOWN_NETWORK: {
    family: "spec",
    explain:
      "A service is on a network that the file does not declare under the top-level `networks`. Declare it there; a network that exists already is `external: true`. Only `default` needs no declaration.",
  },
  E_UNKNOWN_SECRET: {
    family: "spec",
    explain:
      "A service or its build uses a secret that the file does not declare under the top-level `secrets`. Declare it there, with `file` or `environment`, or as `external: true`.",
  },
  E_UNKNOWN_SERVICE: {
    family: "spec",
    explain:
      "A service depends on one that the file does not have, or that no active profile leaves in. Mend the name, activate the profile with --profile, or say `required: false` for the dependency.",
  },
  E_UNKNOWN_VOLUME: {
    family: "spec",
    explain:
      "A service mounts a named volume that the file does not declare. Add it under the top-level `volumes:`. If a directory of the host was meant, begin the source with `./`.",
  },
  E_UNSUPPORTED: {
    family: "failed",
    explain: "The file asks for something that this engine cannot do yet. The message names it; nothing was changed because of it.",
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
  E_VALUE: {
    family: "spec",
    explain:
      "A value in the spec is of the right kind but not one that its place can take. The message names the value and what is possible.",
  },
  E_VOLUME_DRIVER: {
    family: "spec",
    explain:
      "Volumes are directories of this machine, or what the kernel can mount: `driver: local` with `driver_opts` `type`, `o` and `device`, as mount(8) takes them. There are no other drivers and no other options.",
  },
  E_VOLUME_IN_USE: { family: "failed", explain: "A volume is removed only after the containers that mount it. `wharf ps -a` lists them." },
  E_VOLUME_MISSING: {
    family: "failed",
    explain:
      "A volume is named that is not there. One marked `external` is not made by `wharf up`: make it with `wharf volume create`, or take `external` away to have it made and removed with the project. `wharf volume ls` lists what there is.",
  },
  E_VOLUME_MOUNT: {
    family: "failed",
    explain:
      "A volume with `driver_opts` is mounted when a container needs it, and the mount was refused; what mount(8) said is in the message. NFS and CIFS need their helpers on this machine (nfs-common, cifs-utils).",
  },
  E_VOLUME_NAME: {
    family: "failed",
    explain: "A volume name starts with a letter or digit and holds letters, digits, dots, dashes and underscores.",
  },
  E_WAIT_TIMEOUT: {
    family: "failed",
    explain:
      "The time of --wait-timeout is over, and a container is not healthy, or has not ended, yet. It goes on as it is: `wharf ps` shows how it fares, `wharf logs` what it printed. Give it more time, or look at its health check with `wharf inspect`.",
  },
  E_WILL_NOT_DIE: {
    family: "failed",
    explain:
      "SIGKILL ends every process but one that waits inside the kernel. Look at what it waits for (a disk, a network file system), or restart the machine.",
  },
  E_WILL_NOT_FREEZE: {
    family: "failed",
    explain:
      "A container is paused when each of its processes stands still, and one of them did not within five seconds: it waits inside the kernel, most often for a disk or a network file system. It was let go on.",
  },
  E_YAML: {
    family: "spec",
    explain:
      "A spec file is not YAML, or not a mapping of keys to values. Common causes are tabs, uneven indentation, a missing blank after a colon, and texts with special characters that need quotes.",
  },
  W_AMBIGUOUS: {
    family: "warning",
    explain:
      "A value without quotes is read by YAML otherwise than it may be meant: `yes`, `no`, `on` and `off` are texts here and were truth values in older YAML; `22:22` was a number of base 60 there. Quotes say which one is meant, to people and to other programs.",
  },
  W_BROKEN_OFF: {
    family: "warning",
    explain:
      "The last command that changed this project was killed, or the machine was, before it was done. Nothing is lost by that: every command looks at what is there and goes on from it, so `wharf up` finishes what was begun, and `wharf down` takes it away.",
  },
  W_HEALTH_NOT_CHECKED: {
    family: "warning",
    explain:
      "`depends_on` with `condition: service_healthy` waits for a health check, and this engine does not run any yet. The dependent starts as soon as the dependency has started.",
  },
  W_LINE_ENDS: {
    family: "warning",
    explain:
      "A file of variables has the line ends of Windows (CR LF). They are left out here, while shells and `docker run --env-file` take the CR for a part of each value, which shows in strange places. Save the file with the line ends of Unix.",
  },
  W_MACHINE: {
    family: "warning",
    explain:
      "The spec asks for something that this machine cannot keep as it is asked for: a limit that its kernel does not have, or one that is higher than wharf itself may give. The container runs without it, or with the nearest that can be given; the message says which.",
  },
  W_MOUNT_OPTION: {
    family: "warning",
    explain:
      "The short form of a mount has an option that means nothing there. It has no effect, as in Compose. Options are `ro`, `rw`, `nocopy`, `z`, `Z` and the propagations of a bind mount; everything else needs the long form.",
  },
  W_NOT_OURS: {
    family: "warning",
    explain:
      "A network or volume of this name exists, but was not made for this project. It is used as it is and never removed by `wharf down`. Give it another name if this is by accident.",
  },
  W_NOT_SELECTED: {
    family: "warning",
    explain:
      "Services were named, and what `config` was asked for is printed as a whole: the variables of the files (`--variables`), or the files before variables are filled in (`--no-interpolate`). As with Compose.",
  },
  W_NO_CONTAINERS: {
    family: "warning",
    explain: "The service is in the spec, but has no containers yet, so there is nothing to do it to. `wharf up` makes them.",
  },
  W_NO_HEALTHCHECK: {
    family: "warning",
    explain:
      "A service waits for another one to be healthy (`condition: service_healthy`), and that one says nothing of how its health is checked. Unless its image does, it never becomes healthy, and the wait ends with its time limit. Add a `healthcheck`, or wait for `service_started`.",
  },
  W_NO_SHELL: {
    family: "warning",
    explain:
      "A command given as a text is split into words, and no shell reads it: `&&`, `|`, `>` and the like become arguments of the program. For a shell, write sh -c 'first && second'.",
  },
  W_NO_SOURCE: {
    family: "warning",
    explain:
      "A bind mount names a path of the host that does not exist. The short form makes an empty directory there when the container is created, which is seldom what is meant: often the path is mistyped, or a file is mounted that is yet to be made.",
  },
  W_OBSOLETE: {
    family: "warning",
    explain: "The spec has a key that once meant something and has no effect any more. Take it out.",
  },
  W_ORPHANS: {
    family: "warning",
    explain:
      "The project has containers of a service that its spec does not have (any more): renamed, removed, or from another file with the same project name; or containers of `run` that ended. They are left alone unless --remove-orphans is given.",
  },
  W_OTHER_DIRECTORY: {
    family: "warning",
    explain:
      "Containers of this project's name were made from the spec of another directory. Commands that only look show them all the same; those that change something refuse where the name is only the directory's, and warn where somebody gave it (-p, `name`).",
  },
  W_PORTS_IGNORED: {
    family: "warning",
    explain:
      "A service publishes ports that nobody can reach by publishing them. With `network_mode: host` it has this machine's own network: whatever it listens on is open as it is. On internal networks alone nothing from outside gets in, as with Docker.",
  },
  W_PROJECT_MOVED: {
    family: "warning",
    explain:
      "The containers of this project were made from a directory that is not there any more: it was moved or deleted. Its name is that of the present one, so they are taken over. They say where they came from until they are replaced (`wharf up --force-recreate`).",
  },
  W_PROJECT_NAME: {
    family: "warning",
    explain:
      "The top-level `name` has capitals or characters that the name of a project cannot have. As Compose does, wharf takes the rest of it in lower case. Write the name as the warning gives it.",
  },
  W_PROJECT_RENAMED: {
    family: "warning",
    explain:
      "While `wharf watch` was watching, the project got another name (by the top-level key `name`, or by a variable). It is made under the new one, and what runs under the old one is left alone: `wharf -p OLD down` removes it.",
  },
  W_RUNS_AGAIN: {
    family: "warning",
    explain:
      "A container of this service had ended with status 0, by itself, and `up` starts it once more, as Compose does. For work that is to be done once (a migration, a first set of data) write `x-wharf: { run: once }` in the service: it is left alone as long as its spec and its image stay what they are. `x-wharf: { run: always }` says that it is meant to run each time, and ends the warning.",
  },
  W_SEVERAL_FILES: {
    family: "warning",
    explain:
      "A directory has several of the names that Compose looks for. The first of compose.yaml, compose.yml, docker-compose.yaml and docker-compose.yml is read, and the others have no effect. Remove them, or say with -f which files are meant.",
  },
  W_SPEC_PASSED_OVER: {
    family: "warning",
    explain:
      "The spec that was found has errors, and the project was named (`-p` or COMPOSE_PROJECT_NAME), so the command went by what the containers themselves tell: which services they are of, and what those depend on. As with Compose. What only the spec says (`pre_stop`, for one) is not done. A spec named with `-f` must be right.",
  },
  W_UNSET_VARIABLE: {
    family: "warning",
    explain:
      "The spec uses a variable that is not set and gives no default: it is taken as empty. Set it in the environment or in `.env`, or write ${NAME:-default}; ${NAME:-} is empty without this warning.",
  },
  W_UNSUPPORTED: {
    family: "warning",
    explain:
      "The spec has an attribute of the Compose Specification that this version of wharf does not act on yet. The rest of the spec is carried out without it; whether that is good enough depends on the attribute, so each one is named with its place.",
  },
  W_VOLUME_CHANGED: {
    family: "warning",
    explain:
      "The `driver_opts` of a volume were changed after it was made. It is used as it was made: to make it anew its data would have to be deleted, and that is done only when it is asked for by name.",
  },
  W_WAITING: {
    family: "warning",
    explain: "Another wharf command changes this project right now. This one goes on when that one has ended.",
  },
  W_WENT_AHEAD: {
    family: "warning",
    explain:
      "`wharf stop`, `kill`, `rm` and `down` go ahead of a command that only waits: for health, for the end of another container, for an image. That one goes on with the containers that they left alone; where they are about all of the project, it begins nothing more.",
  },
  W_WINDOWS: {
    family: "warning",
    explain:
      "The attribute is one of Windows containers. Linux containers have no such thing, here as with Docker: the rest of the service is carried out.",
  },
} as const satisfies Record<`E_${string}` | `W_${string}`, Entry>;

export type Code = keyof typeof CODES;

/** Exit statuses by family, as `cli.md` lists them. */
export const EXIT = { spec: 3, usage: 64, engine: 69, locked: 75, failed: 1, warning: 0 } as const satisfies Record<Family, number>;

/** The exit status for a set of codes: the most specific family wins over a plain failure. */
export function exitStatus(codes: readonly Code[]): number {
  const families = new Set<Family>(codes.map((code) => CODES[code].family));
  for (const family of ["usage", "spec", "locked", "engine", "failed"] as const) if (families.has(family)) return EXIT[family];
  return 0;
}
