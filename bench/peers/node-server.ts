import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pino } from "pino";

/** What requests under way get to end after SIGTERM, in milliseconds. */
const END_MS = 1_000;

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** A `node:http` server with the settings that a proxy wants, and an access log in batches. */
export function listen(port: number, logFile: string, handle: Handle): Server {
  const log = pino.destination({ dest: logFile, minLength: 8_192, sync: false });
  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    const began = performance.now();
    const { method, url } = request;
    const { remoteAddress } = request.socket;
    response.on("close", () => {
      const ms = (performance.now() - began).toFixed(0);
      log.write(
        `${remoteAddress} [${new Date().toISOString()}] "${method} ${url} HTTP/1.1" ` +
          `${response.statusCode} ${ms}\n`,
      );
    });
    handle(request, response);
  });
  process.once("SIGTERM", () => {
    server.close(() => process.exit());
    setTimeout(() => server.closeAllConnections(), END_MS).unref();
  });
  return server.listen({ port, host: "127.0.0.1", backlog: 4_096 });
}

/** Ends an exchange whose server failed: with a 502, or by a cut where an answer has begun. */
export function giveUp(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(502).end();
}
