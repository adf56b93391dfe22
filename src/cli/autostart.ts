/** What brings containers back after the machine was off: a unit of systemd, or a line for cron. */

import { existsSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../lib/atomic-file.ts";
import { stopwatch } from "../lib/clock.ts";
import { ChildFailure, runOk } from "../lib/process.ts";
import { shellWord } from "../lib/shell-words.ts";
import { Failure } from "../model/diagnostic.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { operate } from "../reconcile/reconcile.ts";
import { plural } from "../ui/text.ts";
import { observedProject } from "./observed-project.ts";
import { conclude, outcomeOf } from "./outcome.ts";
import { sorted } from "./selection.ts";
import type { Session } from "./session.ts";

export type Starter = "systemd" | "cron";

export interface AutostartOptions {
  /** `undefined`: systemd where it runs, else cron. */
  readonly with: string | undefined;
  /** Where the file is, instead of the usual place; then nobody is told of it. */
  readonly directory: string | undefined;
}

/** Makes this machine start the containers of this world when it starts itself. Root only. */
export async function enable(session: Session, options: AutostartOptions): Promise<number> {
  const starter = starterOf(options);
  const path = pathOf(starter, options);
  const text = starter === "systemd" ? unitText(session) : cronText(session);
  const isNew = !existsSync(path) || readFileSync(path, "utf8") !== text;
  if (isNew) await write(path, text, options);
  if (starter === "systemd" && options.directory === undefined) await systemctl(["daemon-reload"], ["enable", UNIT]);
  session.out.line(`${isNew ? "wrote" : "kept"} ${path}`);
  session.out.line(comesBackText(session, await returning(session)));
  return 0;
}

/** Takes back what `enable` did, by whichever starter. Nothing when it was not done. */
export async function disable(session: Session, options: AutostartOptions): Promise<number> {
  const found = foundPaths(options);
  for (const { starter, path } of found) {
    if (starter === "systemd" && options.directory === undefined) await systemctl(["disable", UNIT]);
    rmSync(path, { force: true });
    if (starter === "systemd" && options.directory === undefined) await systemctl(["daemon-reload"]);
    session.out.line(`removed ${path}`);
  }
  if (found.length === 0) session.out.line("containers are not started with this machine: there is nothing to take back");
  return 0;
}

/** Says what would happen after a reboot. 1 when nothing would. */
export async function status(session: Session, options: AutostartOptions): Promise<number> {
  const found = foundPaths(options);
  const containers = await returning(session);
  for (const { starter, path } of found) session.out.line(`enabled by ${starter === "systemd" ? "systemd" : "cron"}: ${path}`);
  if (found.length === 0) session.out.line("not enabled: wharf autostart enable does that");
  session.out.line(comesBackText(session, containers));
  for (const { name } of containers) session.out.line(`  ${name}`);
  return found.length > 0 ? 0 : 1;
}

/** Starts what is to come back after a reboot, project by project, dependencies first. What fails keeps nothing else from its start. */
export async function run(session: Session): Promise<number> {
  const all = await session.containers(null);
  const waiting = (await returning(session)).filter(({ state }) => state !== "running" && state !== "paused");
  let worst = 0;
  for (const project of [...new Set(waiting.map((container) => container.project ?? ""))].sort()) {
    const began = stopwatch();
    const own = all.filter((container) => container.project === project);
    const names = waiting.filter((container) => container.project === project).map(({ name }) => name);
    session.say(`project ${project}: ${names.join(", ")}`);
    try {
      const known = observedProject(project, own, session.settings.cwd);
      const result = await operate(await session.world(), known, { kind: "start" }, names);
      worst = Math.max(worst, await conclude(session, outcomeOf(result), began));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await session.tell(error.diagnostics);
      worst = Math.max(worst, 1);
    }
  }
  if (waiting.length === 0) session.say("nothing is to be started");
  return worst;
}

const UNIT = "wharf-autostart.service";

/** Where machines look for such files, and how they are called there. */
const PLACES: Readonly<Record<Starter, { readonly directory: string; readonly file: string }>> = {
  systemd: { directory: "/etc/systemd/system", file: UNIT },
  cron: { directory: "/etc/cron.d", file: "wharf-autostart" },
};

function starterOf({ with: wanted, directory }: AutostartOptions): Starter {
  if (wanted === "systemd" || wanted === "cron") return wanted;
  if (existsSync("/run/systemd/system")) return "systemd";
  if (directory !== undefined || existsSync(PLACES.cron.directory)) return "cron";
  throw new Failure({
    code: "E_NO_STARTER",
    message: "this machine has neither systemd nor cron to start containers with",
    hint: "let its own start-up run `wharf autostart run` as root, once file systems and networks are there",
  });
}

const pathOf = (starter: Starter, { directory }: AutostartOptions): string =>
  join(directory ?? PLACES[starter].directory, PLACES[starter].file);

function foundPaths(options: AutostartOptions): readonly { readonly starter: Starter; readonly path: string }[] {
  const starters: readonly Starter[] = ["systemd", "cron"];
  return starters.map((starter) => ({ starter, path: pathOf(starter, options) })).filter(({ path }) => existsSync(path));
}

/** Containers that come back after a reboot. */
async function returning(session: Session): Promise<readonly ObservedContainer[]> {
  return sorted((await session.containers(null)).filter(({ afterReboot }) => afterReboot));
}

function comesBackText(session: Session, containers: readonly ObservedContainer[]): string {
  if (containers.length === 0)
    return `no container in ${session.settings.root} comes back after a reboot: restart: always or unless-stopped asks for it`;
  const projects = new Set(containers.map(({ project }) => project)).size;
  return `after a reboot ${plural(containers.length, "container")} of ${plural(projects, "project")} ${containers.length === 1 ? "comes" : "come"} back`;
}

/** This very program, as it was called. */
function commandOf(): readonly string[] {
  const [, script = ""] = process.argv;
  return [process.execPath, ...process.execArgv, realpathSync(script), "autostart", "run"];
}

function environmentOf({ settings }: Session): Readonly<Record<string, string>> {
  return { WHARF_ROOT: settings.root, WHARF_RUN: settings.run };
}

function unitText(session: Session): string {
  // Doubled percent signs and quotes: systemd reads both.
  const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$")}"`;
  return `[Unit]
Description=Containers that wharf starts again after a reboot
Wants=network-online.target
After=network-online.target local-fs.target remote-fs.target

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
# What it starts goes on by itself.
KillMode=process
${Object.entries(environmentOf(session))
  .map(([key, value]) => `Environment="${key}=${value.replace(/["\\]/g, "\\$&").replaceAll("%", "%%")}"`)
  .join("\n")}
ExecStart=${commandOf().map(quoted).join(" ")}

[Install]
WantedBy=multi-user.target
`;
}

/** A percent sign would be a line break for cron. */
function cronText(session: Session): string {
  const words = Object.entries(environmentOf(session)).map(([key, value]) => `${key}=${shellWord(value)}`);
  const line = [...words, ...commandOf().map(shellWord)].join(" ").replaceAll("%", "\\%");
  return `# Containers that wharf starts again after a reboot.\nSHELL=/bin/sh\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n@reboot root ${line}\n`;
}

async function write(path: string, text: string, { directory }: AutostartOptions): Promise<void> {
  if (directory !== undefined) await mkdir(directory, { recursive: true });
  try {
    await writeAtomic(path, text, { mode: 0o644 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") throw error;
    throw new Failure(
      { code: "E_NO_PRIVILEGE", message: `${path} cannot be written here (${code})`, hint: "run it with sudo" },
      { cause: error },
    );
  }
}

async function systemctl(...calls: readonly (readonly string[])[]): Promise<void> {
  for (const words of calls) {
    try {
      await runOk("systemctl", words);
    } catch (error) {
      if (!(error instanceof ChildFailure)) throw error;
      throw new Failure(
        {
          code: "E_NO_STARTER",
          message: `systemctl ${words.join(" ")} did not work: ${error.stderr}`,
          hint: "--with cron does without systemd",
        },
        { cause: error },
      );
    }
  }
}
