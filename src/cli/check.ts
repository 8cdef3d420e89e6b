import { addressText } from "../config/address.ts";
import type { Config, GroupConfig } from "../config/config.ts";
import type { Env } from "../config/interpolate.ts";
import { EXIT } from "./exit-codes.ts";
import { loadConfig } from "./load-config.ts";

/** `understudy check`: says what the configuration would serve, or all that is wrong with it. */
export function check(file: string, env: Env): number {
  const config = loadConfig(file, env);
  if (config === undefined) return EXIT.usage;
  process.stdout.write(`${describe(config).join("\n")}\n`);
  return EXIT.done;
}

function describe(config: Config): readonly string[] {
  const listen = config.listen.map(
    (address) => `${address.kind === "unix" ? "" : "http://"}${addressText(address)}`,
  );
  return [`listen ${listen.join(", ")}`, ...config.groups.flatMap(describeGroup)];
}

function describeGroup(group: GroupConfig): readonly string[] {
  const routes = group.routes.map((route) => `${route.host ?? "*"}${route.path}`);
  const pools = group.spec.pools.map((pool, n) => {
    const servers = pool.servers.map(
      (server) => `${server.address}${server.down ? " (down)" : ""}`,
    );
    return `  ${pool.name} (${n === 0 ? "primary" : "backup"}): ${servers.join(", ")}`;
  });
  return [
    `group ${group.name}: ${routes.join(", ")}`,
    ...(pools.length > 0 ? pools : ["  no pools: answers 503"]),
  ];
}
