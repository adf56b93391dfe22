/**
 * Other firewalls on this machine. What they drop stays dropped whatever our own table says, so our bridges are let through theirs: Docker's and
 * ufw's by iptables, firewalld's by its own command. Rules of ours have a comment, and go with their bridge.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../lib/process.ts";
import type { Layout } from "../layout.ts";
import { findProgram } from "../runtime.ts";

const MARK = "wharf";
const TOOLS = ["iptables", "ip6tables"] as const;

/** Lets bridges through. Nothing where nobody else drops packets. Gives what was done, for a log. */
export async function passForeign(layout: Layout, bridges: readonly string[]): Promise<readonly string[]> {
  const done: string[] = [];
  for (const tool of TOOLS) {
    const rules = missingRules(await listed(tool), bridges);
    if (rules.length === 0) continue;
    remember(layout, bridges);
    done.push(...(await restored(tool, rules)));
  }
  if (isFirewalldHere()) {
    const known = new Set(remembered(layout));
    for (const bridge of bridges.filter((one) => !known.has(`firewalld ${one}`))) {
      remember(layout, [bridge, `firewalld ${bridge}`]);
      await firewalld("--add-interface", bridge);
      done.push(`firewalld: ${bridge} is trusted`);
    }
  }
  return done;
}

/** Takes away what was made for bridges that are gone. Costs nothing where nothing was made. */
export async function forgetForeign(layout: Layout, bridges: readonly string[]): Promise<void> {
  const names = remembered(layout);
  const gone = names.filter((name) => !bridges.includes(name.replace(/^firewalld /, "")));
  if (gone.length === 0) return;
  for (const tool of TOOLS) {
    const rules = obsoleteRules(await listed(tool), gone);
    if (rules.length > 0) await restored(tool, rules);
  }
  for (const name of gone) if (name.startsWith("firewalld ")) await firewalld("--remove-interface", name.slice("firewalld ".length));
  write(
    layout,
    names.filter((name) => !gone.includes(name)),
  );
}

/** Lines for iptables-restore that let bridges through, where the listing (`iptables -S`) says that something may drop them. Pure. */
export function missingRules(listing: string, bridges: readonly string[]): readonly string[] {
  const lines = listing.split("\n");
  const has = (rule: string): boolean => lines.some((line) => line.startsWith("-A ") && line.endsWith(rule));
  const made: string[] = [];
  if (drops(lines, "FORWARD")) {
    const { chain, position } = placeOf(lines);
    for (const bridge of bridges)
      for (const way of ["-i", "-o"]) {
        const rule = `${way} ${bridge} -m comment --comment ${MARK} -j ACCEPT`;
        if (!has(rule)) made.push(`-I ${chain} ${position} ${rule}`);
      }
  }
  if (drops(lines, "INPUT"))
    for (const bridge of bridges)
      for (const protocol of ["udp", "tcp"]) {
        const rule = `-i ${bridge} -p ${protocol} -m ${protocol} --dport 53 -m comment --comment ${MARK} -j ACCEPT`;
        if (!has(rule)) made.push(`-I INPUT 1 ${rule}`);
      }
  return made;
}

/** Lines that take away what `missingRules` made for bridges. Pure. */
export function obsoleteRules(listing: string, bridges: readonly string[]): readonly string[] {
  return listing
    .split("\n")
    .filter((line) => line.startsWith("-A ") && line.includes(` --comment ${MARK} `))
    .filter((line) => bridges.some((bridge) => line.includes(` -i ${bridge} `) || line.includes(` -o ${bridge} `)))
    .map((line) => `-D ${line.slice("-A ".length)}`);
}

/** By its policy, by a rule of its own, or by ufw's chains, which do so in the end. */
function drops(lines: readonly string[], chain: string): boolean {
  return lines.some(
    (line) => line.startsWith(`-P ${chain} DROP`) || (line.startsWith(`-A ${chain} `) && /-j (?:DROP|REJECT|ufw6?-)/.test(line)),
  );
}

/** In Docker's chain for its users, after what they say there; else before all others. */
function placeOf(lines: readonly string[]): { readonly chain: string; readonly position: number } {
  if (!lines.includes("-A FORWARD -j DOCKER-USER")) return { chain: "FORWARD", position: 1 };
  const rules = lines.filter((line) => line.startsWith("-A DOCKER-USER "));
  const returns = rules.at(-1) === "-A DOCKER-USER -j RETURN";
  return { chain: "DOCKER-USER", position: rules.length + (returns ? 0 : 1) };
}

async function listed(tool: string): Promise<string> {
  const program = findProgram(tool);
  if (program === null) return "";
  const { status, stdout } = await run(program, ["-w", "5", "-S"]);
  return status === 0 ? stdout : ""; // a kernel without it has nobody who uses it
}

async function restored(tool: string, rules: readonly string[]): Promise<readonly string[]> {
  const program = findProgram(`${tool}-restore`);
  if (program === null) return [];
  const { status, stderr } = await run(program, ["-w", "5", "--noflush"], { input: `*filter\n${rules.join("\n")}\nCOMMIT\n` });
  return status === 0 ? rules.map((rule) => `${tool}: ${rule}`) : [`${tool}: ${stderr.trim().split("\n")[0]}`];
}

function isFirewalldHere(): boolean {
  try {
    return readFileSync(`/proc/${Number(readFileSync("/run/firewalld.pid", "latin1"))}/comm`, "latin1").startsWith("firewalld");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

async function firewalld(word: "--add-interface" | "--remove-interface", bridge: string): Promise<void> {
  const program = findProgram("firewall-cmd");
  if (program !== null) await run(program, ["--quiet", "--zone=trusted", `${word}=${bridge}`]); // it may be going down
}

/** Bridges that rules were made for. A reboot takes the rules away, and this file. */
const fileOf = (layout: Layout): string => join(layout.run, "foreign-firewalls");

function remembered(layout: Layout): readonly string[] {
  try {
    return readFileSync(fileOf(layout), "utf8").split("\n").filter(Boolean);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function remember(layout: Layout, names: readonly string[]): void {
  write(layout, [...new Set([...remembered(layout), ...names])]);
}

function write(layout: Layout, names: readonly string[]): void {
  if (names.length === 0) rmSync(fileOf(layout), { force: true });
  else writeFileSync(fileOf(layout), `${names.join("\n")}\n`, { mode: 0o600 });
}
