import type { Size } from "./screen.ts";
import { render } from "./styled-line.ts";
import type { StyledLine } from "./styled-line.ts";

/** The whole terminal, taken for a while. */
export interface Terminal {
  readonly size: Size;
  /** One write, so that no half frame is seen. */
  draw(lines: readonly StyledLine[]): void;
  /** Gives the terminal back as it was; calling it twice is harmless. */
  close(): void;
}

export interface TerminalEvents {
  readonly onType: (typed: string) => void;
  readonly onResize: () => void;
  /** Nobody can type any more. */
  readonly onGone: () => void;
}

const ENTER = "\u001b[?1049h\u001b[?25l\u001b[2J";
const LEAVE = "\u001b[0m\u001b[?25h\u001b[?1049l";
// A terminal that knows these shows the frame at once; others ignore them.
const BEGIN_FRAME = "\u001b[?2026h\u001b[H";
const END_FRAME = "\u001b[J\u001b[?2026l";
const CLEAR_LINE = "\u001b[2K";

/** Also closes when the process ends, for whatever reason it can still notice. */
export function openTerminal(colour: boolean, events: TerminalEvents): Terminal {
  const { stdin, stdout } = process;
  const onData = (bytes: Buffer): void => events.onType(bytes.toString());
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    process.off("exit", close);
    process.off("uncaughtExceptionMonitor", close);
    stdout.off("resize", events.onResize);
    stdin.off("data", onData).off("end", events.onGone);
    stdin.setRawMode(false).pause();
    stdout.write(LEAVE);
  };
  process.on("exit", close);
  process.on("uncaughtExceptionMonitor", close);
  stdout.on("resize", events.onResize);
  stdin.on("error", events.onGone);
  stdin.on("data", onData).on("end", events.onGone).setRawMode(true).resume();
  stdout.write(ENTER);
  return {
    get size() {
      // Some terminals know their size only later, and say 0 until then.
      return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
    },
    draw(lines) {
      // A slow line gets fewer frames, not late ones.
      if (!open || stdout.writableNeedDrain) return;
      // The last column stays free: some terminals wrap when it is written.
      const width = (stdout.columns || 80) - 1;
      const rows = lines.map((line) => CLEAR_LINE + render(line, width, colour));
      stdout.write(BEGIN_FRAME + rows.join("\r\n") + END_FRAME);
    },
    close,
  };
}
