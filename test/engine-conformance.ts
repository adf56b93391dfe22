/**
 * What every engine owes those who call it. A test file makes a suite, hands it over with a way to open an engine, and runs it:
 *
 *   engineConformance(it, openSubject);
 *   it.run();
 */
import * as assert from "uvu/assert";
import { containerCases } from "./engines/conformance/containers.ts";
import { groundCases } from "./engines/conformance/ground.ts";
import { imageCases } from "./engines/conformance/images.ts";
import { inPlaceCases } from "./engines/conformance/in-place.ts";
import { lifeCases } from "./engines/conformance/life.ts";
import { networkCases } from "./engines/conformance/networks.ts";
import { outputCases } from "./engines/conformance/output.ts";
import { portCases } from "./engines/conformance/ports.ts";
import { casesOn, furnish, type Subject, type Suite } from "./engines/conformance/stage.ts";
import { volumeCases } from "./engines/conformance/volumes.ts";

/** Registers the obligations. All tests share one engine, which the first of them opens and the last one takes away. */
export function engineConformance(it: Suite, open: () => Promise<Subject>): void {
  let opened: Promise<Subject> | undefined;
  const subject = (): Promise<Subject> => {
    opened ??= open().then(async (made) => {
      await furnish(made);
      return made;
    });
    return opened;
  };
  const cases = casesOn(it, subject);
  groundCases(cases);
  volumeCases(cases);
  containerCases(cases);
  lifeCases(cases);
  inPlaceCases(cases);
  networkCases(cases);
  portCases(cases);
  outputCases(cases);
  imageCases(cases);
  it("when all is removed nothing is left, and the engine can be closed", async () => {
    const { engine, dispose } = await subject();
    const left = await engine.containers(AbortSignal.timeout(10_000));
    await dispose();
    assert.equal(left, []);
  });
}
