/** Walls on the machine that this process runs on. */
import { existsSync, readFileSync } from "node:fs";
import { Failure } from "../../model/diagnostic.ts";
import type { Concern } from "../../model/observed.ts";
import type { Service } from "../../model/service.ts";
import { CAPABILITIES, grantCapabilities } from "./capabilities.ts";
import type { KernelFacts } from "./kernel-facts.ts";
import { crunWorksHere, findProgram, type Runtime } from "./runtime.ts";

/** What this machine makes of the walls of services, where it is not what they ask for. */
export function isolationConcerns(services: readonly Service[], facts: () => KernelFacts): readonly Concern[] {
  return services.flatMap((service) => [
    ...capabilityConcerns(service, facts),
    ...appArmorConcerns(service),
    ...sysctlConcerns(service),
    ...interfaceConcerns(service),
    ...runtimeConcerns(service),
  ]);
}

/** The AppArmor profile that containers can have here; `null` where the kernel has no AppArmor. */
export function appArmorHere(asked: string | null): string | null {
  return asked !== null && hasAppArmor() ? asked : null;
}

/** The runtime that a service asks for. Throws E_MACHINE. */
export function runtimeNamed(name: string): Runtime {
  const path = name.startsWith("/") ? name : findProgram(name);
  const problem =
    path === null || !existsSync(path)
      ? "is not on this machine"
      : /(?:^|\/)crun$/.test(path) && !crunWorksHere()
        ? "does not work with this machine's mixed control groups"
        : null;
  if (path === null || problem !== null)
    throw new Failure({
      code: "E_MACHINE",
      message: `the runtime ${name} ${problem ?? "is not on this machine"}`,
      hint: "install it, or leave `runtime` out: wharf doctor says which one is used then",
    });
  return { name: /(?:^|\/)runc$/.test(path) ? "runc" : "crun", path };
}

function concern({ name }: Service, attribute: string, rest: Pick<Concern, "code" | "message" | "hint">): Concern {
  return { service: name, attribute, ...rest, message: `service ${name} ${rest.message}` };
}

function capabilityConcerns(service: Service, facts: () => KernelFacts): readonly Concern[] {
  const { capAdd: add, capDrop: drop, isolation } = service;
  if (isolation.privileged || (add.length === 0 && drop.length === 0)) return [];
  const known = new Set<string>(["ALL", ...CAPABILITIES]);
  const unknown = (["cap_add", "cap_drop"] as const).flatMap((attribute) =>
    (attribute === "cap_add" ? add : drop)
      .filter((name) => !known.has(name))
      .map((name) =>
        concern(service, attribute, {
          code: "E_CAPABILITY_UNKNOWN",
          message: `names the capability ${name}, which there is not`,
          hint: "capabilities(7) lists them",
        }),
      ),
  );
  if (unknown.length > 0) return unknown;
  const { missing } = grantCapabilities({ add, drop, held: facts().capabilities });
  return missing.map((name) =>
    concern(service, "cap_add", {
      code: "W_MACHINE",
      message: `asks for the capability ${name}, which this engine does not hold itself: it runs without`,
    }),
  );
}

function appArmorConcerns(service: Service): readonly Concern[] {
  const { appArmor } = service.isolation;
  if (appArmor === null || appArmor === "unconfined") return [];
  if (!hasAppArmor())
    return [
      concern(service, "security_opt", {
        code: "W_MACHINE",
        message: `asks for the AppArmor profile ${appArmor}, and this kernel runs without AppArmor: so does the service`,
      }),
    ];
  const loaded = readIfThere("/sys/kernel/security/apparmor/profiles");
  if (loaded === null || loaded.split("\n").some((line) => line.replace(/ \([a-z]+\)$/, "") === appArmor)) return [];
  return [
    concern(service, "security_opt", {
      code: "E_MACHINE",
      message: `asks for the AppArmor profile ${appArmor}, which is not loaded`,
      hint: "apparmor_parser -r FILE loads one; aa-status lists them",
    }),
  ];
}

function sysctlConcerns(service: Service): readonly Concern[] {
  // Only this machine's own can be looked at: what it has a namespace has, but for what a device brings along.
  const missing = Object.keys(service.isolation.sysctls).filter(
    (name) => !/^net\.[a-z0-9]+\.(?:conf|neigh)\./.test(name) && !existsSync(`/proc/sys/${name.replaceAll(".", "/")}`),
  );
  return missing.map((name) =>
    concern(service, `sysctls.${name}`, {
      code: "E_MACHINE",
      message: `sets the kernel parameter ${name}, which this kernel does not have`,
      hint: "check its name; some come with a module (modprobe)",
    }),
  );
}

/** Every interface has what the default for new ones has. */
function interfaceConcerns(service: Service): readonly Concern[] {
  return service.networks.flatMap(({ network, sysctls }) =>
    Object.keys(sysctls)
      .filter((name) => !existsSync(`/proc/sys/${name.replace("IFNAME", "default").replaceAll(".", "/")}`))
      .map((name) =>
        concern(service, `networks.${network}.driver_opts`, {
          code: "E_MACHINE",
          message: `sets the kernel parameter ${name}, which interfaces do not have with this kernel`,
          hint: "check its name; some come with a module (modprobe)",
        }),
      ),
  );
}

function runtimeConcerns(service: Service): readonly Concern[] {
  const { runtime } = service.isolation;
  if (runtime === null) return [];
  try {
    runtimeNamed(runtime);
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.diagnostics.map(({ message, hint }) =>
      concern(service, "runtime", { code: "E_MACHINE", message: `cannot be run: ${message}`, ...(hint === undefined ? {} : { hint }) }),
    );
  }
}

function hasAppArmor(): boolean {
  return readIfThere("/sys/module/apparmor/parameters/enabled")?.trim() === "Y";
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EACCES") return null;
    throw error;
  }
}
