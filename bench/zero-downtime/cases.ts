import { docker, type Pool, type Rig } from "../../test/docker/rig.ts";

/** What happens to a container of the rig while clients are served. */
export interface Case {
  readonly name: string;
  readonly title: string;
  /** Whom it happens to; the gateway has no understudy of its own. */
  readonly whom: Pool | "gateway";
  /** The orders before: blue is the primary unless green is made so. */
  readonly primary: Pool;
  readonly hurt: (rig: Rig) => Promise<unknown>;
  /** Undefined where it ends by itself. */
  readonly mend?: (rig: Rig) => Promise<unknown>;
}

const ways = {
  stop: {
    title: "docker stop",
    hurt: (rig: Rig, pool: Pool) => docker(["stop", rig.container(pool)]),
    mend: (rig: Rig, pool: Pool) => docker(["start", rig.container(pool)]),
  },
  kill: {
    title: "docker kill",
    hurt: (rig: Rig, pool: Pool) => docker(["kill", rig.container(pool)]),
    mend: (rig: Rig, pool: Pool) => docker(["start", rig.container(pool)]),
  },
  pause: {
    title: "docker pause",
    hurt: (rig: Rig, pool: Pool) => docker(["pause", rig.container(pool)]),
    mend: (rig: Rig, pool: Pool) => docker(["unpause", rig.container(pool)]),
  },
  disconnect: {
    title: "docker network disconnect",
    hurt: (rig: Rig, pool: Pool) =>
      docker(["network", "disconnect", rig.network, rig.container(pool)]),
    mend: (rig: Rig, pool: Pool) =>
      docker(["network", "connect", "--alias", `app_${pool}`, rig.network, rig.container(pool)]),
  },
} as const;

/** In the order of the table. */
export const CASES: readonly Case[] = [
  ...Object.entries(ways).map(([name, way]) => inPool(name, way, "blue")),
  {
    name: "recreate",
    title: "blue: another release on a new address",
    whom: "blue",
    primary: "blue",
    hurt: (rig) => rig.up(["app_blue"], { RELEASE_ID_BLUE: `v${Date.now()}` }),
  },
  ...Object.entries(ways).map(([name, way]) => inPool(name, way, "green")),
  {
    name: "gateway",
    title: "the gateway's own container: docker restart",
    whom: "gateway",
    primary: "blue",
    hurt: (rig) => docker(["restart", `${rig.project}-gateway-1`]),
  },
];

function inPool(
  name: string,
  { title, hurt, mend }: (typeof ways)[keyof typeof ways],
  pool: Pool,
): Case {
  return {
    name: pool === "blue" ? name : `${name}-green`,
    title: `${pool}, which serves: ${title}`,
    whom: pool,
    primary: pool,
    hurt: (rig) => hurt(rig, pool),
    mend: (rig) => mend(rig, pool),
  };
}
