import type { Context } from "./draft.ts";
import { child, entriesOf, entry, type Node, textOf } from "./node.ts";
import { refuse } from "./service/scope.ts";
import { listing, quote } from "./words.ts";

/** `driver` and `driver_opts` of a volume: what the local driver mounts it from, or `null` for a directory of its own. */
export function readDriver(
  volume: Node,
  { path, report }: { readonly path: string; readonly report: Context["report"] },
): Readonly<Record<string, string>> | null {
  const driver = entry(volume, "driver");
  const name = textOf(driver?.value) ?? "";
  if (driver !== undefined && name !== "" && name !== "local")
    return refuse(
      { report },
      {
        code: "E_VOLUME_DRIVER",
        place: driver.value.place,
        message: `\`${path}.driver\` is ${quote(name)}: there is only \`local\` here`,
        hint: 'the local driver mounts what the machine can: driver_opts: { type: nfs, o: addr=…, device: ":/path" }',
      },
    );
  const options = Array.from(entriesOf(child(volume, "driver_opts")));
  for (const [key, { place }] of options)
    if (!OPTIONS.includes(key))
      refuse(
        { report },
        {
          code: "E_VOLUME_DRIVER",
          place,
          message: `\`${path}.driver_opts\` has ${quote(key)}, which the local driver does not know`,
          hint: `its options are ${listing(OPTIONS, "and")}`,
        },
      );
  const given = Object.fromEntries(
    options.map(([key, { value }]) => [key, textOf(value) ?? ""] as const).filter(([, text]) => text !== ""),
  );
  if (Object.keys(given).length === 0) return null;
  if (given["device"] === undefined && given["type"] !== "tmpfs")
    return refuse(
      { report },
      {
        code: "E_VOLUME_DRIVER",
        place: child(volume, "driver_opts")?.place ?? volume.place,
        message: `\`${path}.driver_opts\` has no \`device\`, which says what is mounted`,
        hint: "a directory, a disk, or a server's path",
      },
    );
  return given;
}

const OPTIONS = ["type", "o", "device"];
