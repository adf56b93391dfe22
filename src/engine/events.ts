/** Something that happened to a container. */
export interface ContainerEvent {
  /** RFC 3339 UTC. */
  readonly time: string;
  /** `create`, `start`, `kill`, `die`, `health_status: healthy`, `exec_start: ls /`, `destroy`, … as Docker names it. */
  readonly action: string;
  readonly id: string;
  readonly service: string;
  /** `image`, `name`, the container's own labels, and what the action has to tell (`exitCode`, `signal`, `oldName`, `execID`). */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface EventOptions {
  /** Only from this time on, only before that: milliseconds since 1970. Without an end it goes on as things happen. */
  readonly since: number;
  readonly until: number | null;
}
