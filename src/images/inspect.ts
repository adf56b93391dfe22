import type { Json } from "../model/json.ts";
import { familiar, partsOf } from "../model/reference.ts";
import { parseJson } from "./shape.ts";
import { readBlob } from "./store/blobs.ts";
import { type Entry, namesOf, sizeOf } from "./store/catalog.ts";
import type { Layout } from "./store/layout.ts";

/** Docker's inspect document of an image, with the keys that its Engine API gives (https://docs.docker.com/reference/api/engine/). */
export async function inspectImage(layout: Layout, { image, configuration, layers, ...entry }: Entry): Promise<Json> {
  const names = await namesOf(layout, image.id);
  const { platform, config, created, diffIds } = configuration;
  const written = parseJson(await readBlob(layout, image.id), "its configuration");
  const author = typeof written === "object" && written !== null && "author" in written ? written.author : "";
  const digests = names.flatMap(({ reference, digest }) => {
    const { domain, path } = partsOf(reference);
    const repository = familiar(reference).slice(0, -(reference.length - domain.length - 1 - path.length));
    return digest === null ? [] : [`${repository}@${digest}`];
  });
  return {
    Id: image.id,
    RepoTags: names.filter(({ reference }) => partsOf(reference).tag !== null).map(({ reference }) => familiar(reference)),
    RepoDigests: [...new Set(digests)],
    Parent: "",
    Comment: "",
    Created: created ?? "",
    Author: typeof author === "string" ? author : "",
    Config: {
      Hostname: "",
      Domainname: "",
      User: config.User ?? "",
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      ...(config.ExposedPorts === undefined ? {} : { ExposedPorts: config.ExposedPorts }),
      Env: config.Env ?? [],
      Cmd: config.Cmd ?? null,
      Image: "",
      Volumes: config.Volumes ?? null,
      WorkingDir: config.WorkingDir ?? "",
      Entrypoint: config.Entrypoint ?? null,
      OnBuild: config.OnBuild ?? null,
      Labels: config.Labels ?? null,
      ...(config.StopSignal === undefined ? {} : { StopSignal: config.StopSignal }),
      ...(config.Healthcheck === undefined ? {} : { Healthcheck: config.Healthcheck }),
      ...(config.Shell === undefined ? {} : { Shell: config.Shell }),
    },
    Architecture: platform.architecture,
    ...(platform.variant === null ? {} : { Variant: platform.variant }),
    Os: platform.os,
    Size: sizeOf({ image, configuration, layers, ...entry }),
    GraphDriver: {
      Name: "overlay2",
      Data: {
        LowerDir: layers
          .toReversed()
          .map(({ name }) => layout.layer(name))
          .join(":"),
      },
    },
    RootFS: { Type: "layers", Layers: diffIds },
    Metadata: { LastTagTime: "0001-01-01T00:00:00Z" },
  };
}
