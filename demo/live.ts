import { commandsIn } from "./keys.ts";
import { LiveShow } from "./live-show.ts";
import type { DemoOptions } from "./options.ts";
import type { Rig } from "./rig.ts";
import { drawScene } from "./screen.ts";
import { openTerminal } from "./terminal.ts";

const FRAME_MS = 100;
const RATE_PER_SECOND = 100;

/** The demo that obeys keys; gives the exit status. */
export async function showLive(
  rig: Rig,
  options: DemoOptions,
  signal: AbortSignal,
): Promise<number> {
  const show = new LiveShow(rig, options.ratePerSecond ?? RATE_PER_SECOND);
  const colour = (process.env["NO_COLOR"] ?? "") === "";
  const { promise: over, resolve: quit } = Promise.withResolvers<void>();
  const draw = (): void => terminal.draw(drawScene(show.scene(), terminal.size));
  const onType = (typed: string): void => {
    for (const command of commandsIn(typed)) {
      if (command === "quit") quit();
      else show.obey(command);
    }
    draw();
  };
  const terminal = openTerminal(colour, { onType, onResize: () => draw(), onGone: quit });
  signal.addEventListener("abort", () => quit());
  if (signal.aborted) quit();
  const frames = setInterval(draw, FRAME_MS);
  await over;
  clearInterval(frames);
  terminal.close();
  // Asked before the end: then the gateway ends because it is told to.
  const { aborted, reason } = signal;
  process.stdout.write(`${(await show.end()).join("\n")}\n`);
  if (aborted) throw reason;
  return 0;
}
