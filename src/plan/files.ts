/** The configs and secrets of a project: what is in them counts for the containers that have them, and none of it is told. */
import type { Contents, GivenFile } from "../model/action.ts";
import type { Plan, Step } from "../model/plan.ts";
import type { Project, ProjectFile } from "../model/project.ts";
import type { Secret } from "../model/secret.ts";
import type { FileGrant, Service } from "../model/service.ts";
import { sourceOf } from "./change.ts";
import { configDigest, secretDigest } from "./hash.ts";
import { type Planning, placed } from "./planning.ts";

/** The project with the digest of each content at the services that use it. */
export function withDigests(project: Project, key: Secret | undefined): Project {
  if (project.configs.length === 0 && project.secrets.length === 0) return project;
  return { ...project, services: project.services.map((service) => withDigestsOf(project, { service, key })) };
}

/** Likewise for one service, which may be none of the project's own. */
export function withDigestsOf(
  project: Project,
  { service, key }: { readonly service: Service; readonly key: Secret | undefined },
): Service {
  if (service.configs.length === 0 && service.secrets.length === 0) return service;
  const digested = (grant: FileGrant, digest: string | undefined): FileGrant => (digest === undefined ? grant : { ...grant, digest });
  return {
    ...service,
    configs: service.configs.map((grant) => {
      const content = fileOf(project.configs, grant)?.content ?? null;
      return digested(grant, content === null ? undefined : configDigest(content));
    }),
    secrets: service.secrets.map((grant) => {
      const content = fileOf(project.secrets, grant)?.content ?? null;
      return digested(grant, content === null ? undefined : secretDigest(content, { key, name: grant.source }));
    }),
  };
}

/** The files of a container's description. */
export function givenFiles(project: Project, service: Service): { readonly files?: readonly GivenFile[] } {
  const files = (["config", "secret"] as const).flatMap((kind) =>
    service[`${kind}s`].flatMap((grant): readonly GivenFile[] => {
      const origin = fileOf(project[`${kind}s`], grant)?.origin;
      return origin === undefined ? [] : [{ ...grant, kind, origin }];
    }),
  );
  return files.length === 0 ? {} : { files };
}

/** What all files of a service hold. */
export function contentsOf(project: Project, service: Service): { readonly contents?: Contents } {
  const { contents: secrets } = secretsOf(project, service);
  const contents = { ...contentsIn(project.configs, { kind: "config", grants: service.configs }), ...secrets };
  return Object.keys(contents).length === 0 ? {} : { contents };
}

/** What its secrets hold. */
export function secretsOf(project: Project, service: Service | undefined): { readonly contents?: Contents } {
  if (service === undefined || service.secrets.length === 0) return {};
  return { contents: contentsIn(project.secrets, { kind: "secret", grants: service.secrets }) };
}

/** Refuses services with files that cannot be had. */
export function planFiles(p: Planning, services: readonly Service[]): void {
  for (const service of services)
    for (const section of ["configs", "secrets"] as const)
      for (const grant of service[section]) {
        const problem = fileOf(p.desired[section], grant)?.problem ?? null;
        if (problem === null) continue;
        p.problems.push(
          problem.source === undefined ? { ...problem, ...placed(sourceOf(p.desired, `${section}.${grant.source}`)) } : problem,
        );
      }
}

/**
 * A plan that was kept in a file, with what its secrets hold now: no file holds that. `changed`: keys of secrets that are not there any more, or
 * hold something else than when the plan was made.
 */
export function withSecrets(
  made: Plan,
  { secrets, key }: { readonly secrets: Contents; readonly key: Secret | undefined },
): { readonly plan: Plan; readonly changed: readonly string[] } {
  const changed = new Set<string>();
  const steps = made.steps.map((step): Step => {
    const { action } = step;
    if (!("contents" in action) || action.contents === undefined) return step;
    const kept = Object.entries(action.contents).filter(([name]) => name.startsWith("config/"));
    const given = Object.entries(secrets).filter(([name]) => Object.hasOwn(action.contents ?? {}, name));
    for (const { source, digest } of action.kind === "container.create" ? action.spec.service.secrets : []) {
      const content = Object.hasOwn(secrets, `secret/${source}`) ? secrets[`secret/${source}`] : undefined;
      if (content === undefined || secretDigest(content, { key, name: source }) !== digest) changed.add(source);
    }
    return { ...step, action: { ...action, contents: Object.fromEntries([...kept, ...given]) } };
  });
  return { plan: { ...made, steps }, changed: [...changed] };
}

function fileOf(files: readonly ProjectFile[], { source }: FileGrant): ProjectFile | undefined {
  return files.find(({ key }) => key === source);
}

function contentsIn(
  files: readonly ProjectFile[],
  { kind, grants }: { readonly kind: GivenFile["kind"]; readonly grants: readonly FileGrant[] },
): Contents {
  const wanted = new Set(grants.map(({ source }) => source));
  return Object.fromEntries(
    files.flatMap(({ key, content }) => (content === null || !wanted.has(key) ? [] : [[`${kind}/${key}`, content] as const])),
  );
}
