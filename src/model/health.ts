/** How a container is told to be well, and what came of it. */

/** A service's own words on it; `null`: as the image says, else as always. */
export interface Healthcheck {
  readonly test: HealthTest | null;
  /** Milliseconds, all four. */
  readonly intervalMs: number | null;
  readonly timeoutMs: number | null;
  readonly startPeriodMs: number | null;
  readonly startIntervalMs: number | null;
  readonly retries: number | null;
  /** Start it anew once it is unhealthy. */
  readonly restart: boolean;
}

export type HealthTest =
  /** Not at all, even where the image says how. */
  | { readonly kind: "none" }
  /** A program inside the container. */
  | { readonly kind: "command"; readonly argv: readonly string[] }
  /** A line for a shell inside the container. */
  | { readonly kind: "shell"; readonly line: string }
  /** A request from outside, which needs nothing in the image: `GET` on the container's own address. */
  | {
      readonly kind: "http";
      readonly scheme: "http" | "https";
      readonly port: number;
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  /** A connection from outside. */
  | { readonly kind: "tcp"; readonly port: number };

/** After so many restarts by its policy one that is not well yet is given up by those who wait for it: half a minute with Docker's waits. */
export const RESTARTS_ALLOWED = 8;
/** A run of this length counts as a success, in milliseconds: the wait before the next restart is the first again, as with Docker. */
export const GOOD_RUN_MS = 10_000;

export type HealthStatus = "starting" | "healthy" | "unhealthy";
