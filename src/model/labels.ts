/** Every label key that wharf writes or reads. Compose's own keys are kept, so that tools made for Compose find their way. */
export const LABEL = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  number: "com.docker.compose.container-number",
  oneOff: "com.docker.compose.oneoff",
  /** What of a service a container runs that is none of its replicas: `pre_start`. */
  hook: "com.docker.compose.hook",
  hash: "com.docker.compose.config-hash",
  image: "com.docker.compose.image",
  directory: "com.docker.compose.project.working_dir",
  files: "com.docker.compose.project.config_files",
  dependsOn: "com.docker.compose.depends_on",
  network: "com.docker.compose.network",
  volume: "com.docker.compose.volume",
  version: "com.docker.compose.version",
} as const;

/** `True` and `False` as Compose writes them in labels. */
export const labelBoolean = (value: boolean): string => (value ? "True" : "False");
