import { ms } from "./report-text.ts";
import type { SocketSummary } from "./socket-tally.ts";
import type { StyledLine } from "./styled-line.ts";

/** The parts of the line about lasting connections; letters and colours are the grid's. */
export function socketItems(summary: SocketSummary): StyledLine[] {
  const { byPool, away, reconnects, longestReconnectMs, echoed, unanswered } = summary;
  return [
    [{ text: "sockets" }],
    [{ text: " B ", look: "blue" }, { text: ` ${byPool.blue}` }],
    [{ text: " G ", look: "green" }, { text: ` ${byPool.green}` }],
    [{ text: `away ${away}`, look: away === 0 ? "faint" : "warn" }],
    [{ text: `reconnects ${reconnects}` }],
    [{ text: `longest ${ms(longestReconnectMs)}` }],
    [{ text: `echoed ${echoed}` }],
    [{ text: `unanswered ${unanswered}`, look: unanswered === 0 ? "good" : "warn" }],
  ];
}
