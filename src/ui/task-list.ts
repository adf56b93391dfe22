import { Listr } from "listr2";
import type { Screen } from "./screen.ts";

/** Something that is under way until its promise settles. */
export interface Task {
  readonly title: string;
  readonly settled: Promise<void>;
}

/** Shows the screen while any of these tasks is under way. */
export async function showWhile(screen: Screen, tasks: readonly Task[]): Promise<void> {
  await new Listr(
    tasks.map(({ title, settled }) => ({ title, task: () => settled })),
    { renderer: Painter, rendererOptions: { screen }, concurrent: true, exitOnError: false, registerSignalListeners: false },
  ).run();
}

/** Lets listr2 say when there is something to see; what is seen is the screen's affair. */
class Painter {
  static nonTTY = true;
  static rendererOptions: { screen?: Screen } = {};
  static rendererTaskOptions: Record<never, never> = {};
  readonly #screen: Screen | undefined;

  constructor(_tasks: unknown, options: typeof Painter.rendererOptions) {
    this.#screen = options.screen;
  }

  render(): void {
    this.#screen?.show();
  }

  end(): void {
    this.#screen?.hide();
  }
}
