/** `node:http` in front of undici's `Pool.dispatch`, the leanest proxy that Node's libraries make. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Dispatcher, Pool } from "undici";
import { FailoverSwitch, type Server } from "./failover-switch.ts";
import { readFlags } from "./flags.ts";
import { giveUp, listen } from "./node-server.ts";

const { port, primary, backup, log } = readFlags();
const servers = new FailoverSwitch(primary, backup);
const pools = new Map([primary, backup].map((server) => [server, poolOf(server)]));

listen(port, log, (request, response) => pass(request, response, servers.choose()));

function poolOf(server: number): Pool {
  return new Pool(`http://127.0.0.1:${server}`, {
    connections: 600,
    keepAliveTimeout: 4_000,
    connect: { timeout: 1_000 },
    headersTimeout: 3_000,
    bodyTimeout: 3_000,
  });
}

function pass(request: IncomingMessage, response: ServerResponse, server: Server): void {
  const { method = "GET", url: path = "/", headers } = request;
  const { connection: _, "keep-alive": __, ...kept } = headers;
  const body = method === "POST" ? request : null;
  pools.get(server.port)?.dispatch(
    { method, path, headers: kept, body },
    answerTo(response, () => {
      const other = servers.failed(server);
      const mayRepeat = method === "GET" && !response.headersSent;
      if (mayRepeat && other !== undefined) pass(request, response, other);
      else giveUp(response);
    }),
  );
}

/** Passes an answer on, with back-pressure. */
function answerTo(response: ServerResponse, onFailure: () => void): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      response.on("close", () => {
        if (!response.writableFinished) controller.abort(new Error("the client is gone"));
      });
      response.on("drain", () => controller.resume());
    },
    onResponseStart(_, status, { connection: __, "keep-alive": ___, ...headers }) {
      response.writeHead(status, headers);
    },
    onResponseData(controller, chunk) {
      if (!response.write(chunk)) controller.pause();
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError() {
      if (!response.destroyed) onFailure();
    },
  };
}
