/** http-proxy-3 with a keep-alive agent, and the failover that its users write around it. */
import { Agent, type IncomingMessage, type ServerResponse } from "node:http";
import { createProxyServer } from "http-proxy-3";
import { FailoverSwitch, type Server } from "./failover-switch.ts";
import { readFlags } from "./flags.ts";
import { giveUp, listen } from "./node-server.ts";

const { port, primary, backup, log } = readFlags();
const agent = new Agent({ keepAlive: true, maxFreeSockets: 600, timeout: 4_000 });
const proxy = createProxyServer({ agent, xfwd: true, proxyTimeout: 3_000, connectTimeout: 1_000 });
const servers = new FailoverSwitch(primary, backup);

const server = listen(port, log, (request, response) => pass(request, response, servers.choose()));
server.on("upgrade", (request, socket, head) => {
  const target = { host: "127.0.0.1", port: servers.choose().port };
  proxy.ws(request, socket, head, { target }, () => socket.destroy());
});

function pass(request: IncomingMessage, response: ServerResponse, server: Server): void {
  const target = { host: "127.0.0.1", port: server.port };
  proxy.web(request, response, { target }, () => {
    if (response.destroyed) return;
    const other = servers.failed(server);
    // The body of a POST is gone.
    const mayRepeat = request.method === "GET" && !response.headersSent;
    if (mayRepeat && other !== undefined) pass(request, response, other);
    else giveUp(response);
  });
}
