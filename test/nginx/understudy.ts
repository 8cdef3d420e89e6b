import { fileURLToPath } from "node:url";
import {
  GROUP_NAME,
  LOG_TEMPLATE,
  SERVER_TIMEOUT,
  type GroupFacts,
  type GroupRules,
  type ServerFacts,
  type StartGateway,
} from "./gateway.ts";
import { ACCESS_LOG, startGatewayProcess } from "./gateway-process.ts";

type Compat = "nginx" | "none";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Starts Understudy in front of a group, with nginx's rules or its own. */
export function startUnderstudy(compat: Compat): StartGateway {
  return async (group) =>
    await startGatewayProcess({
      name: "understudy",
      command: [process.execPath, MAIN, "run", "--config", "CONFIG"],
      configure: (folder, port) => JSON.stringify(config(group, compat, folder, port)),
      ready: /\bready\b/,
      stopSignal: "SIGTERM",
      missing: `${process.execPath} does not run`,
    });
}

// Every YAML reader takes JSON.
function config(
  { servers, rules }: GroupFacts,
  compat: Compat,
  folder: string,
  port: number,
): object {
  const blue = servers.filter((server) => !server.backup).map(serverEntry);
  const green = servers.filter((server) => server.backup).map(serverEntry);
  return {
    version: 1,
    listen: [{ address: `127.0.0.1:${port}` }],
    workers: 0,
    access_log: { file: `${folder}/${ACCESS_LOG}`, format: LOG_TEMPLATE },
    // nginx's is a page of memory.
    limits: { server_head: "4k" },
    groups: {
      [GROUP_NAME]: {
        pools: { blue: { servers: blue }, ...(green.length > 0 && { green: { servers: green } }) },
        next_upstream: nextUpstream(rules),
        timeouts: { connect: SERVER_TIMEOUT, send: SERVER_TIMEOUT, read: SERVER_TIMEOUT },
        ...(rules.keepalive !== true && { keepalive: { max_idle: 0 } }),
        compat,
      },
    },
  };
}

function serverEntry(server: ServerFacts): object {
  return {
    url: `http://${server.address}`,
    max_fails: server.maxFails,
    fail_timeout: server.failTimeout,
    max_conns: server.maxConns,
    down: server.down,
  };
}

function nextUpstream({ nextUpstream, tries, nextUpstreamTimeoutMs }: GroupRules): object {
  return {
    ...(nextUpstream !== undefined && { on: nextUpstream.filter((name) => name !== "off") }),
    ...(tries !== undefined && { tries }),
    ...(nextUpstreamTimeoutMs !== undefined && { timeout: `${nextUpstreamTimeoutMs}ms` }),
  };
}
