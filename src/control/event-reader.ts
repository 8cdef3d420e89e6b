import type { Readable } from "node:stream";

/** The data of server-sent events, as the admin API writes them: one line of JSON each. */
export async function* readEvents(body: Readable): AsyncGenerator {
  let rest = "";
  body.setEncoding("utf8");
  for await (const chunk of body) {
    const lines = `${rest}${String(chunk)}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("data: ")) yield JSON.parse(line.slice("data: ".length));
    }
  }
}
