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

export type HealthStatus = "starting" | "healthy" | "unhealthy";
