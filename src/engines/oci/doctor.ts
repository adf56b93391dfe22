import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import type { Check } from "../../engine/doctor.ts";
import { run } from "../../lib/process.ts";
import { blockingChains, passage } from "./network/blocking.ts";
import { cgroupMode, crunWorksHere, findProgram } from "./runtime.ts";

/** What the oci engine needs of a machine, each with the command that mends it. Changes nothing. */
export async function checkMachine(options: { readonly root: string }): Promise<readonly Check[]> {
  return [
    privilege(),
    await runtime(),
    await program("conmon", { name: "a monitor for containers", package: "conmon" }),
    await nftables(),
    await otherFirewalls(),
    overlay(),
    cgroups(),
    await space(options.root),
    await program("tini-static", { name: "an init for services with init: true", package: "tini" }),
  ];
}

function privilege(): Check {
  const root = process.geteuid?.() === 0;
  return {
    name: "privilege",
    ok: root,
    detail: root ? "root" : `user ${process.geteuid?.()}: namespaces and mounts need root`,
    fix: root ? null : "sudo wharf …",
  };
}

async function runtime(): Promise<Check> {
  const name = "an OCI runtime";
  const runc = findProgram("runc");
  const crun = findProgram("crun");
  if (runc !== null) return { name, ok: true, detail: await version(runc), fix: null };
  if (crun === null) return { name, ok: false, detail: "neither runc nor crun is installed", fix: "apt-get install runc" };
  if (!crunWorksHere())
    return { name, ok: false, detail: "crun does not work with this machine's mixed control groups", fix: "apt-get install runc" };
  return { name, ok: true, detail: await version(crun), fix: null };
}

async function program(command: string, what: { readonly name: string; readonly package: string }): Promise<Check> {
  const path = findProgram(command);
  if (path === null) return { name: what.name, ok: false, detail: `${command} is not installed`, fix: `apt-get install ${what.package}` };
  return { name: what.name, ok: true, detail: await version(path), fix: null };
}

async function nftables(): Promise<Check> {
  const name = "a packet filter";
  const path = findProgram("nft");
  if (path === null) return { name, ok: false, detail: "nft is not installed", fix: "apt-get install nftables" };
  const trial = await run(path, ["--check", "--file", "-"], {
    input: "table ip wharf_doctor { map m { type inet_service : ipv4_addr; }\n}\n",
  });
  return trial.status === 0
    ? { name, ok: true, detail: await version(path), fix: null }
    : { name, ok: false, detail: trial.stderr.trim().split("\n")[0] ?? "nft failed", fix: "modprobe nf_tables" };
}

/** Docker, ufw and firewalld are passed by wharf itself; what drops packets in tables of its own has to be told. */
async function otherFirewalls(): Promise<Check> {
  const name = "other firewalls";
  const path = findProgram("nft");
  const listing = path === null ? null : await run(path, ["list", "chains"]);
  const blocking = listing?.status === 0 ? blockingChains(listing.stdout) : [];
  if (blocking.length === 0) return { name, ok: true, detail: "none drops what wharf does not pass by itself", fix: null };
  const words = blocking.map(({ table, chain }) => `${table} ${chain}`).join(", ");
  return { name, ok: false, detail: `${words}: drops what containers send and get`, fix: blocking.flatMap(passage).join("; ") };
}

function overlay(): Check {
  const known = /\boverlay$/m.test(readFileSync("/proc/filesystems", "latin1"));
  return {
    name: "overlayfs",
    ok: known,
    detail: known ? "in the kernel" : "the kernel does not know it (yet)",
    fix: known ? null : "modprobe overlay",
  };
}

function cgroups(): Check {
  return {
    name: "control groups",
    ok: true,
    detail: { v1: "version 1", v2: "version 2", hybrid: "version 1 with version 2 beside it" }[cgroupMode()],
    fix: null,
  };
}

async function space(root: string): Promise<Check> {
  const name = "room for images";
  const existing = await firstExisting(root);
  const { bavail, bsize } = await statfs(existing);
  const gigabytes = (bavail * bsize) / 1e9;
  const ok = gigabytes >= 1;
  return {
    name,
    ok,
    detail: `${gigabytes.toFixed(1)} GB free at ${root}`,
    fix: ok ? null : "wharf image rm …, or set WHARF_ROOT to a larger disk",
  };
}

async function firstExisting(path: string): Promise<string> {
  try {
    await statfs(path);
    return path;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return firstExisting(path.slice(0, path.lastIndexOf("/")) || "/");
  }
}

async function version(path: string): Promise<string> {
  const { stdout, stderr } = await run(path, ["--version"]);
  return (stdout || stderr).split("\n")[0]?.trim() || path;
}
