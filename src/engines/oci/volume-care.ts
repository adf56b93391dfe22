import type { Volumes } from "../../engine/volumes.ts";
import { treeSize } from "../../images/tree-size.ts";
import { isContainerName } from "../../model/names.ts";
import type { Context } from "./context.ts";
import { allContainers } from "./records.ts";
import { removeUnusedVolume } from "./remove.ts";
import { absentVolume, allVolumes, createVolume, readVolume, volumeData } from "./volumes.ts";

/** What is done with volumes by their names. */
export function volumesOf(context: Context): Volumes {
  const { layout } = context;
  const known = (name: string): boolean => isContainerName(name) && readVolume(layout, name) !== null;
  return {
    list: async () => {
      const users = new Map<string, string[]>();
      for (const { record } of allContainers(layout))
        for (const { volume } of record.mounts) if (volume !== null) users.set(volume, [...(users.get(volume) ?? []), record.name]);
      return allVolumes(layout).map(({ name, project, key, anonymous, labels, createdAt, driverOptions = {} }) => ({
        name,
        project,
        key,
        anonymous,
        labels,
        driverOptions,
        createdAt,
        path: volumeData(layout, name),
        users: [...new Set(users.get(name))],
      }));
    },
    create: ({ name, anonymous, labels, driverOptions }) =>
      createVolume(layout, {
        name,
        project: null,
        key: null,
        anonymous,
        labels,
        ...(Object.keys(driverOptions).length === 0 ? {} : { driverOptions }),
      }),
    remove: async (name) => {
      if (!known(name)) throw absentVolume(name);
      await removeUnusedVolume(context, name);
    },
    size: async (name) => {
      if (!known(name)) throw absentVolume(name);
      return treeSize(volumeData(layout, name));
    },
  };
}
