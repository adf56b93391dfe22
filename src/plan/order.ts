import type { Dependency, Service } from "../model/service.ts";

/** Services so that each comes behind those it depends on, otherwise in the order given. A circle is cut where it is met. */
export function inOrder<T extends Pick<Service, "name" | "dependsOn">>(services: readonly T[]): readonly T[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const names = sorted([...byName.keys()], (name) => byName.get(name)?.dependsOn.map((d) => d.service) ?? []);
  return names.flatMap((name) => byName.get(name) ?? []);
}

/** Keys so that each comes behind those it needs, otherwise in the order given. */
export function sorted(keys: readonly string[], needs: (key: string) => readonly string[]): readonly string[] {
  const wanted = new Set(keys);
  const done = new Set<string>();
  const seen = new Set<string>();
  // An explicit stack: labels are data of others and may be a chain of any length.
  for (const root of keys) {
    const stack: { readonly key: string; readonly rest: string[] }[] = [];
    const enter = (key: string) => {
      if (seen.has(key) || !wanted.has(key)) return;
      seen.add(key);
      stack.push({ key, rest: [...needs(key)].reverse() });
    };
    enter(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.rest.pop();
      if (next !== undefined) enter(next);
      else {
        done.add(top.key);
        stack.pop();
      }
    }
  }
  return [...done];
}

/** Names with everything that they depend on, directly or not. */
export function withDependencies(services: readonly Service[], names: Iterable<string>): ReadonlySet<string> {
  const byName = new Map(services.map((service) => [service.name, service]));
  const found = new Set<string>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    for (const dependency of byName.get(name)?.dependsOn ?? []) if (byName.has(dependency.service)) open.push(dependency.service);
  }
  return found;
}

const CONDITIONS = { started: "service_started", healthy: "service_healthy", completed: "service_completed_successfully" } as const;

/** What a container's label says about its dependencies, as Compose writes it: `db:service_started:false,cache:…`. */
export function dependsOnText(dependencies: readonly Dependency[]): string {
  return dependencies.map(({ service, condition, restart }) => `${service}:${CONDITIONS[condition]}:${restart}`).join(",");
}

/** Names of the services in such a label; a label of somebody else's may say anything, and is read as far as it can be. */
export function dependsOnNames(text: string | undefined): readonly string[] {
  return (text ?? "").split(",").flatMap((entry) => {
    const name = entry.split(":", 1)[0]?.trim();
    return name === undefined || name === "" ? [] : [name];
  });
}
