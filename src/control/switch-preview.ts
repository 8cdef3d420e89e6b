import type { GroupState } from "../failover/group-state.ts";
import { describeServer, isServing } from "../failover/server.ts";
import type { Control, Outcome } from "./control.ts";
import { done, refused } from "./outcomes.ts";
import type { SwitchOrder } from "./orders.ts";
import { poolOf, whyNotServing } from "./switch-target.ts";
import { leftInWords, loadOfAll } from "./wait-idle.ts";

type Asked = Pick<SwitchOrder, "to" | "force" | "ifActive">;

/** Why a switch comes to nothing, or undefined. */
export function refusalOf(state: GroupState, { to, force, ifActive }: Asked): string | undefined {
  const { spec, active } = state;
  if (ifActive !== undefined && ifActive !== active) {
    return `${ifActive} is not active in ${spec.name}: ${active} is`;
  }
  const pool = poolOf(state, to);
  if (force || pool === undefined || pool.standby !== "awake") return undefined;
  return whyNotServing(pool);
}

/** Whether the pool is a cold standby that is started first. */
export function isBootDue(state: GroupState, asked: Asked): boolean {
  const pool = poolOf(state, asked.to);
  return pool !== undefined && pool.standby !== "awake" && refusalOf(state, asked) === undefined;
}

/** Nothing is left to do. */
export function isThere({ primary, active }: GroupState, to: string): boolean {
  return primary === to && active === to;
}

/** What a switch would do. */
export function previewSwitch(
  around: Pick<Control, "loadOf" | "releaseOf">,
  state: GroupState,
  asked: Asked,
): Outcome {
  const { spec, active } = state;
  const { to } = asked;
  const servers = state.servers.filter((server) => server.spec.pool === to);
  const release = around.releaseOf(spec.name, to);
  const load = loadOfAll(around, { group: spec.name, keys: keysOf(state, active) });
  const { tunnelsMs, spreadMs, graceMs } = spec.drain;
  const facts = {
    dry_run: true,
    group: spec.name,
    from: active,
    to,
    target: {
      ...(release !== undefined && { release }),
      servers: servers.map((server) => ({
        address: server.spec.address,
        serves: isServing(server),
        reason: describeServer(server),
      })),
    },
    drain: {
      in_flight: load.inFlight,
      tunnels: load.tunnels,
      limit_ms: tunnelsMs + spreadMs + graceMs,
    },
  };
  const reason = refusalOf(state, asked);
  if (reason !== undefined) return refused(reason, facts);
  if (isThere(state, to)) return done([`${to} serves ${spec.name} already`], facts);
  const named = release === undefined ? to : `${to} (release ${release})`;
  return done(
    [
      ...(isBootDue(state, asked) ? [`would start ${to}, and wait until it is ready`] : []),
      `would switch ${spec.name} from ${active} to ${named}`,
      ...servers.map((server) => `${to}: ${describeServer(server)}`),
      `would drain ${active}: ${leftInWords(load)}, tunnels for ${tunnelsMs / 1000} s`,
    ],
    facts,
  );
}

export function keysOf({ servers }: GroupState, pool: string): readonly string[] {
  return servers.filter(({ spec }) => spec.pool === pool).map(({ spec }) => spec.key);
}
