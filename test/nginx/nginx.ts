import {
  GROUP_NAME,
  LOG_TEMPLATE,
  SERVER_TIMEOUT,
  type Gateway,
  type GroupFacts,
  type ServerFacts,
} from "./gateway.ts";
import { ACCESS_LOG, startGatewayProcess } from "./gateway-process.ts";

/** Starts the nginx of this machine in front of a group. */
export async function startNginx(group: GroupFacts): Promise<Gateway> {
  return await startGatewayProcess({
    name: "nginx",
    command: ["nginx", "-e", "stderr", "-p", "FOLDER", "-c", "CONFIG"],
    configure: (folder, port) => nginxConf(group, folder, port),
    ready: /start worker process \d+/,
    stopSignal: "SIGQUIT",
    missing: "nginx is not installed, and the vectors need a real one: apt-get install nginx-light",
  });
}

const TEMP_PATHS = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

// One worker and no `zone`: the state is nginx's simplest. `lingering_close` would hold log lines back.
function nginxConf(group: GroupFacts, folder: string, port: number): string {
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 256; }
http {
  log_format vector '${LOG_TEMPLATE}';
  access_log ${folder}/${ACCESS_LOG} vector;
  ${TEMP_PATHS.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ")}
  lingering_close off;
  map $http_upgrade $to_server {
    "" ${group.rules.keepalive === true ? '""' : "close"};
    default upgrade;
  }
  upstream ${GROUP_NAME} {
    ${group.servers.map(serverLine).join("\n    ")}
    ${group.rules.keepalive === true ? "keepalive 8;" : ""}
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://${GROUP_NAME};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $to_server;
      proxy_connect_timeout ${SERVER_TIMEOUT};
      proxy_send_timeout ${SERVER_TIMEOUT};
      proxy_read_timeout ${SERVER_TIMEOUT};
      ${ruleLines(group.rules).join("\n      ")}
    }
  }
}
`;
}

function serverLine(server: ServerFacts): string {
  const limits = `max_fails=${server.maxFails} fail_timeout=${server.failTimeout} max_conns=${server.maxConns}`;
  const flags = `${server.backup ? " backup" : ""}${server.down ? " down" : ""}`;
  return `server ${server.address} ${limits}${flags};`;
}

function ruleLines({ nextUpstream, tries, nextUpstreamTimeoutMs }: GroupFacts["rules"]): string[] {
  const lines = [];
  if (nextUpstream !== undefined) lines.push(`proxy_next_upstream ${nextUpstream.join(" ")};`);
  if (tries !== undefined) lines.push(`proxy_next_upstream_tries ${tries};`);
  if (nextUpstreamTimeoutMs !== undefined) {
    lines.push(`proxy_next_upstream_timeout ${nextUpstreamTimeoutMs}ms;`);
  }
  return lines;
}
