import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { findProgram } from "./has-program.ts";
import type { PeerDescription, PeerName, Reload, Renew } from "./peer-description.ts";
import { ROOT } from "./root.ts";

const NO_RELOAD: Reload = { by: "nothing", why: "no reload" };
const NO_RENEWAL: Renew = { by: "nothing", why: "one process" };

/** In the order of the tables. nginx first: the others are compared with it. */
export const PEERS: readonly PeerDescription[] = [
  {
    name: "nginx",
    template: "nginx.conf",
    program: "nginx",
    args: ["-e", "stderr", "-p", "@FOLDER@", "-c", "@CONFIG@"],
    env: {},
    versionArgs: ["-v"],
    debianPackage: "nginx",
    stopSignal: "SIGQUIT",
    reload: { by: "signal", signal: "SIGHUP" },
    renew: { by: "signal", signal: "SIGHUP" },
    upgrades: true,
  },
  {
    name: "haproxy",
    template: "haproxy.cfg",
    program: "haproxy",
    args: ["-W", "-db", "-f", "@CONFIG@"],
    env: {},
    versionArgs: ["-v"],
    debianPackage: "haproxy",
    stopSignal: "SIGUSR1",
    reload: { by: "signal", signal: "SIGUSR2" },
    renew: { by: "signal", signal: "SIGUSR2" },
    upgrades: true,
  },
  {
    name: "caddy",
    template: "Caddyfile",
    program: "caddy",
    args: ["run", "--config", "@CONFIG@", "--adapter", "caddyfile"],
    env: {
      GOMAXPROCS: "1",
      HOME: "@FOLDER@",
      XDG_DATA_HOME: "@FOLDER@",
      XDG_CONFIG_HOME: "@FOLDER@",
    },
    versionArgs: ["version"],
    debianPackage: "caddy",
    stopSignal: "SIGTERM",
    reload: { by: "caddy-admin" },
    renew: NO_RENEWAL,
    upgrades: true,
  },
  nodePeer("http-proxy-3", ["bench/peers/http-proxy-3.ts", ...flagsOfNodePeer()]),
  {
    ...nodePeer("undici", ["bench/peers/undici-pool.ts", ...flagsOfNodePeer()]),
    upgrades: false,
  },
  {
    ...nodePeer("understudy", ["dist/main.js", "run", "--config", "@CONFIG@"]),
    template: "understudy.yaml",
    reload: { by: "signal", signal: "SIGHUP" },
    renew: { by: "signal", signal: "SIGUSR2" },
  },
];

/** What its version command tells, in one word; undefined where it is not installed. */
export function versionOf(peer: PeerDescription): string | undefined {
  if (peer.name === "understudy") return versionIn("package.json");
  if (peer.debianPackage === undefined) return versionIn(`node_modules/${peer.name}/package.json`);
  const program = findProgram(peer.program);
  if (program === undefined) return undefined;
  const { stdout, stderr } = spawnSync(program, peer.versionArgs, { encoding: "utf8" });
  return /\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0] ?? "unknown";
}

function nodePeer(name: PeerName, args: readonly string[]): PeerDescription {
  return {
    name,
    template: undefined,
    program: process.execPath,
    args,
    env: {},
    versionArgs: ["--version"],
    debianPackage: undefined,
    stopSignal: "SIGTERM",
    reload: NO_RELOAD,
    renew: NO_RENEWAL,
    upgrades: true,
  };
}

function flagsOfNodePeer(): readonly string[] {
  return ["--port", "@PORT@", "--primary", "@PRIMARY@", "--backup", "@BACKUP@", "--log", "@LOG@"];
}

const MANIFEST = z.object({ version: z.string() });

function versionIn(manifest: string): string {
  return MANIFEST.parse(JSON.parse(readFileSync(join(ROOT, manifest), "utf8"))).version;
}
