import { once } from "node:events";
import { createServer } from "node:net";

// Below the range from which systems take ports for outgoing connections: the port of a dead server
// must still be free when it comes back.
let next = 20_000 + (process.pid % 400) * 20;

/** A port of loopback that nobody listens at. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next++;
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
