import { requestText } from "./raw-client.ts";
import type { HandConnection, HandServer } from "./hand-server.ts";
import type { RawConnection } from "./raw-client.ts";

/** A client's handshake, with further or other fields. */
export function upgradeText(fields: Readonly<Record<string, string>> = {}): string {
  return requestText({
    fields: {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version": "13",
      ...fields,
    },
  });
}

export const UPGRADE = upgradeText();

export const SWITCHED =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/** Lets the client's handshake succeed; the server's side of the tunnel that is open then. */
export async function openTunnel(
  client: RawConnection,
  server: HandServer,
): Promise<HandConnection> {
  client.send(UPGRADE);
  const connection = await server.request();
  connection.send(SWITCHED);
  await client.until("\r\n\r\n");
  return connection;
}
