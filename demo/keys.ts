/** What a key does in the live demo. */
export type Command = "kill" | "revive" | "error" | "hang" | "method" | "sockets" | "quit";

/** In the order of the help line. */
export const KEYS = [
  { key: "k", command: "kill", help: "kill -9" },
  { key: "r", command: "revive", help: "revive" },
  { key: "e", command: "error", help: "503s" },
  { key: "h", command: "hang", help: "hang" },
  { key: "s", command: "method", help: "GET/POST" },
  { key: "w", command: "sockets", help: "sockets" },
  { key: "q", command: "quit", help: "quit" },
] as const satisfies readonly { key: string; command: Command; help: string }[];

const CTRL_C = "\u0003";
const ESCAPE = "\u001b";

/** The commands in what a terminal sent at once; an arrow or function key is none. */
export function commandsIn(typed: string): Command[] {
  if (typed.startsWith(ESCAPE)) return [];
  return typed.split("").flatMap((character) => {
    if (character === CTRL_C) return ["quit"] as const;
    const found = KEYS.find(({ key }) => key === character.toLowerCase());
    return found === undefined ? [] : [found.command];
  });
}
