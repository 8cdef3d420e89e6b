import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";

/** Opens a tunnel to the app, which sends back every byte; rejects where that is refused. */
export async function upgrade(socket: Socket): Promise<void> {
  const key = randomBytes(16).toString("base64");
  socket.write(
    "GET /tunnel HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  const [head] = await once(socket, "data");
  if (!String(head).startsWith("HTTP/1.1 101 ")) throw new Error(`no upgrade: ${String(head)}`);
}
