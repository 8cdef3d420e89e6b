import type { SocketClient, SocketListener } from "./socket-client.ts";
import { openSocketIo } from "./socket-io-client.ts";
import { SocketTally } from "./socket-tally.ts";
import type { SocketSummary } from "./socket-tally.ts";
import { openWebSocket } from "./web-socket-client.ts";

/** Clients with lasting connections through the gateway. */
export interface Crowd {
  summary(): SocketSummary;
  /** Resolves when all have left. */
  close(): Promise<void>;
}

export interface CrowdSize {
  readonly webSockets: number;
  readonly socketIo: number;
}

export function openCrowd(port: number, { webSockets, socketIo }: CrowdSize): Crowd {
  const tally = new SocketTally(webSockets + socketIo);
  const clients: SocketClient[] = [];
  while (clients.length < webSockets)
    clients.push(openWebSocket(port, listenerOf(clients.length, tally)));
  while (clients.length < webSockets + socketIo)
    clients.push(openSocketIo(port, listenerOf(clients.length, tally)));
  return {
    summary: () => tally.summary(),
    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

function listenerOf(client: number, tally: SocketTally): SocketListener {
  return {
    onOpen: (pool) => tally.opened(client, pool, performance.now()),
    onLost: () => tally.lost(client, performance.now()),
    onEcho: () => tally.echoed(),
    onUnanswered: (messages) => tally.unanswered(messages),
  };
}
