/** A project with profiles, and short ways to ask about it. */
import * as assert from "uvu/assert";
import type { Place } from "./call.ts";

export const SPEC = `name: shop
services:
  web: { image: web }
  db: { image: db, profiles: [data] }
  admin: { image: admin, profiles: [data], depends_on: [db] }
`;

/** Standard output of a command that must end with 0. */
export async function ok(place: Place, ...argv: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await place.call(...argv);
  assert.is(status, 0, stderr);
  return stdout;
}

/** Names of the services that have a container, sorted. */
export async function running(place: Place): Promise<readonly string[]> {
  return (await ok(place, "ps", "--services")).trim().split("\n").filter(Boolean).sort();
}
