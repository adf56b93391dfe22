/** A plan that is kept in a file and carried out later, exactly as it was shown. Pure: reading and writing the file is the caller's. */
import { Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import type { Observed } from "../model/observed.ts";
import type { Plan } from "../model/plan.ts";
import type { Project } from "../model/project.ts";
import { digestOf } from "./hash.ts";

export interface SavedPlan {
  /** The engine that it was made for. */
  readonly engine: string;
  /** RFC 3339 UTC. */
  readonly madeAt: string;
  readonly project: Project;
  readonly plan: Plan;
  /** What it was made for, in one word or two a thing: it holds for no other world. */
  readonly facts: Facts;
}

/** By address, such as `container/shop-web-1`: what a plan looked at when it decided. */
export type Facts = Readonly<Record<string, string>>;

/** What a plan stands on. Ids are part of it: a container with the same name is another one. */
export function factsOf({ containers, networks, volumes, images }: Observed): Facts {
  return Object.fromEntries([
    ...containers.map(({ name, id, state, hash, attributes, networks: joined }) => [
      `container/${name}`,
      [
        state,
        id.slice(0, 12),
        `made as ${hash?.slice(0, 14) ?? "others do"}`,
        `with ${digestOf(attributes).slice(7, 15)}`,
        ...joined.flatMap(({ name: network, cutOff }) => (cutOff ? [`cut off from ${network}`] : [])),
      ].join(", "),
    ]),
    ...networks.map(({ name, present }) => [`network/${name}`, present ? "there" : "known, but gone from the kernel"]),
    ...volumes.map(({ name }) => [`volume/${name}`, "there"]),
    ...Object.entries(images).map(([reference, { id }]) => [`image/${reference}`, id]),
  ]);
}

/** What differs from the world that a plan was made for, a line a thing; none: it still holds. */
export function movedSince(before: Facts, now: Facts): readonly string[] {
  const addresses = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return addresses.flatMap((address) => {
    const [was, is] = [factAt(before, address), factAt(now, address)];
    if (was === is) return [];
    return [was === null ? `${address} is new` : is === null ? `${address} is gone` : `${address} was ${was}; it is ${is}`];
  });
}

/** The text of a plan's file, one line. It holds what containers are made with, environment included. */
export function savedPlanText(saved: SavedPlan): string {
  const body: Json = JSON.parse(JSON.stringify(saved));
  return `${JSON.stringify({ formatVersion: SAVED_FORMAT, digest: digestOf(body), body })}\n`;
}

/** Throws `E_PLAN_FILE` for a text that no `plan -o` wrote, or that was changed since. `name`: the file's, for the message. */
export function parseSavedPlan(text: string, name: string): SavedPlan {
  const document = parse(text);
  if (document === null || typeof document["formatVersion"] !== "string")
    throw unusable(`${name} is no plan`, "`wharf plan -o FILE` writes one");
  const { formatVersion, digest, body } = document;
  if (formatVersion !== SAVED_FORMAT)
    throw unusable(`${name} is a plan of format ${formatVersion}, and this wharf reads ${SAVED_FORMAT}`, "make it again with this version");
  if (body === undefined || digest !== digestOf(body))
    throw unusable(`${name} was changed or cut off since it was written`, "make it again");
  return body as unknown as SavedPlan; // the digest says that it is what savedPlanText wrote
}

/**
 * Version of the form of what is saved: of steps, of the project, of facts. A plan is carried out by the version of wharf that reads it, so one of
 * another form is refused. `test/plan/saved.test.ts` holds the form and this number together.
 */
export const SAVED_FORMAT = "2.0";

function parse(text: string): { readonly [key: string]: Json } | null {
  try {
    const value: Json = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as { readonly [key: string]: Json }) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const factAt = (facts: Facts, address: string): string | null => (Object.hasOwn(facts, address) ? (facts[address] ?? null) : null);

function unusable(message: string, hint: string): Failure {
  return new Failure({ code: "E_PLAN_FILE", message, hint });
}
