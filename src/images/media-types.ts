/** The media types of images, Docker's and OCI's, and what each is. */

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
export const OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";

export const OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";

export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
const SCHEMA1 = ["application/vnd.docker.distribution.manifest.v1+prettyjws", "application/vnd.docker.distribution.manifest.v1+json"];

/** What a registry may answer with when asked for a name. */
export const ACCEPT = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(", ");

export type ManifestKind = "index" | "manifest" | "schema1" | "unknown";

export function manifestKind(mediaType: string): ManifestKind {
  if (mediaType === OCI_INDEX || mediaType === DOCKER_LIST) return "index";
  if (mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST) return "manifest";
  return SCHEMA1.includes(mediaType) ? "schema1" : "unknown";
}

export function isImageConfig(mediaType: string): boolean {
  return mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG;
}

/** A layer whose content its registry does not hold. */
export function isForeignLayer(mediaType: string): boolean {
  return mediaType.includes(".foreign.") || mediaType.includes(".nondistributable.");
}
