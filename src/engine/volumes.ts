/** The volume side of an engine, for the `volume …` commands. */
export interface Volumes {
  /** All of the engine, by name. */
  list(signal: AbortSignal): Promise<readonly VolumeSummary[]>;
  /** Makes one that no project has; one that is there already stays as it is. Throws E_VOLUME_NAME. */
  create(volume: NewVolume, signal: AbortSignal): Promise<void>;
  /** Deletes it with all that is in it. Throws E_VOLUME_MISSING, E_VOLUME_IN_USE. */
  remove(name: string, signal: AbortSignal): Promise<void>;
  /** Bytes of the files in it. Throws E_VOLUME_MISSING. */
  size(name: string, signal: AbortSignal): Promise<number>;
}

export interface NewVolume {
  readonly name: string;
  /** The name says nothing: it was made up for want of one. */
  readonly anonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** What it is mounted from (`type`, `o`, `device`); empty: a directory of its own. */
  readonly driverOptions: Readonly<Record<string, string>>;
}

export interface VolumeSummary {
  readonly name: string;
  readonly project: string | null;
  /** Key in the spec it was made for, or `null`. */
  readonly key: string | null;
  /** Made for one container, without a name of its own. */
  readonly anonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** What it is mounted from; empty: a directory of its own. */
  readonly driverOptions: Readonly<Record<string, string>>;
  /** RFC 3339 UTC. */
  readonly createdAt: string;
  /** Directory of this machine that holds its files; empty where there is none. */
  readonly path: string;
  /** Names of the containers that mount it, running or not. */
  readonly users: readonly string[];
}
