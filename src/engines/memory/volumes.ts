import type { Volumes } from "../../engine/volumes.ts";
import { Failure } from "../../model/diagnostic.ts";
import { isContainerName } from "../../model/names.ts";
import { type ActionOf, change, type Place } from "./place.ts";

/** Makes a volume that is not there yet. Throws E_VOLUME_NAME. */
export function createVolume(place: Place, action: ActionOf<"volume.create"> & { readonly anonymous?: boolean }): void {
  const { volume: name, labels, anonymous = false } = action;
  if (!isContainerName(name))
    throw new Failure({
      code: "E_VOLUME_NAME",
      message: `${JSON.stringify(name)} cannot name a volume`,
      hint: "use letters, digits, dots, dashes and underscores",
    });
  if (place.store.read().observed.volumes.some((volume) => volume.name === name)) return;
  change(place, action);
  const world = place.store.read();
  place.store.write({ ...world, volumes: { ...world.volumes, [name]: { labels, anonymous, createdAt: new Date().toISOString() } } });
}

export function labelVolume(place: Place, action: ActionOf<"volume.update">): void {
  change(place, action);
  const world = place.store.read();
  const made = world.volumes?.[action.volume];
  if (made !== undefined)
    place.store.write({ ...world, volumes: { ...world.volumes, [action.volume]: { ...made, labels: action.labels } } });
}

/** What is done with volumes by their names. */
export function volumesOf(place: Place): Volumes {
  const find = (name: string) => {
    const found = place.store.read().observed.volumes.find((volume) => volume.name === name);
    if (found !== undefined) return found;
    throw new Failure({ code: "E_VOLUME_MISSING", message: `there is no volume ${name}`, hint: "wharf volume ls lists those there are" });
  };
  return {
    list: async () => {
      const { observed, volumes: made = {} } = place.store.read();
      const users = (name: string) => observed.containers.filter(({ volumes }) => volumes.some((volume) => volume.name === name));
      const summaries = observed.volumes.map(({ name, project, key, driverOptions = {} }) => ({
        name,
        project,
        key,
        anonymous: made[name]?.anonymous ?? key === null,
        labels: made[name]?.labels ?? {},
        driverOptions,
        createdAt: made[name]?.createdAt ?? users(name)[0]?.createdAt ?? BEGINNING,
        path: "",
        users: users(name).map((container) => container.name),
      }));
      return summaries.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    create: async ({ name, anonymous, labels, driverOptions }) =>
      createVolume(place, { kind: "volume.create", volume: name, key: null, labels, anonymous, driverOptions }),
    remove: async (name) => change(place, { kind: "volume.remove", volume: find(name).name }),
    size: async (name) => {
      find(name);
      return 0;
    },
  };
}

/** Of what nobody knows when it was made. */
const BEGINNING = "1970-01-01T00:00:00Z";
