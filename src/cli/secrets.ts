/** What secrets hold now, for what was written down without it: plans that were kept, and revisions. */
import { readFile } from "node:fs/promises";
import type { Contents } from "../model/action.ts";
import type { Project, ProjectFile } from "../model/project.ts";
import { Secret } from "../model/secret.ts";
import type { Session } from "./session.ts";

/** As far as that can be had without the spec. */
export async function secretsNow(session: Session, { secrets }: Project): Promise<Contents> {
  const found = await Promise.all(secrets.map(async (secret) => [`secret/${secret.key}`, await contentNow(session, secret)] as const));
  return Object.fromEntries(found.flatMap(([key, content]) => (content === null ? [] : [[key, content] as const])));
}

/** The project with its secrets as they are now. */
export async function withSecretsNow(session: Session, project: Project): Promise<Project> {
  const secrets = await Promise.all(
    project.secrets.map(async (secret): Promise<ProjectFile> => {
      const { key, origin } = secret;
      const content = await contentNow(session, secret);
      if (content !== null) return { key, origin, content, problem: null };
      const where = origin.from === "file" ? `its file ${origin.path} cannot be read` : "the variable that holds it is not set";
      return {
        key,
        origin,
        content,
        problem: { code: "E_CONTENT_MISSING", message: `secret ${key}: ${where}`, hint: "secrets are not written down: give it again" },
      };
    }),
  );
  return { ...project, secrets };
}

async function contentNow(session: Session, { origin }: ProjectFile): Promise<Secret | null> {
  const bytes =
    origin.from === "file" ? await readIfThere(origin.path) : origin.from === "environment" ? session.settings.env[origin.variable] : null;
  return bytes == null ? null : new Secret(Buffer.from(bytes).toString("base64"));
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error) return null; // who asks says which secret is missing
    throw error;
  }
}
