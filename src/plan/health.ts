/** What Compose refuses of a health check when it makes a container, though the file may say it. */
import { sourceOf } from "./change.ts";
import { type Planning, placed } from "./planning.ts";

export function checkHealthchecks(p: Planning): void {
  for (const service of p.made) {
    const check = service.healthcheck;
    if (check === null || check.startIntervalMs === null || check.startPeriodMs !== null) continue;
    p.problems.push({
      code: "E_START_INTERVAL",
      message: `service ${service.name}: healthcheck.start_interval requires healthcheck.start_period to be set`,
      hint: "`start_interval` counts while `start_period` lasts: say how long that is, or leave it out",
      ...placed(sourceOf(p.desired, `services.${service.name}.healthcheck.start_interval`)),
    });
  }
}
