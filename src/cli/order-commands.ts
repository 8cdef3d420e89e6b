import type { Command } from "commander";
import type { AdminClient, Answered } from "../control/admin-client.ts";
import type { Outcome } from "../control/control.ts";

/** Gives an order, and tells what that came to. */
export type GiveOrder = (command: Command, order: OrderWords) => Promise<void>;

export interface OrderWords {
  /** What is under way while it waits: `switching app to green`. */
  readonly doing: string;
  /** The command that undoes it or tells more, without the program's name. */
  readonly next: string;
  readonly ask: (gateway: AdminClient) => Promise<Answered<Outcome>>;
}

/** A command of that name with the options that find the gateway. */
export type AddCommand = (name: string, description: string) => Command;

const FORCE = ["--force", "also where that hurts: the refusal says how"] as const;
const ADMIN = ["ready", "drain", "maint"] as const;

/** The commands that order something of a group. */
export function addOrderCommands(add: AddCommand, give: GiveOrder): void {
  addSwitchCommands(add, give);
  addDrillCommand(add, give);
  addAdminCommands(add, give);
  addDoorCommands(add, give);
  addStandbyCommands(add, give);
  add("split <group> [weights...]", "spread new clients: blue=95 green=5")
    .option("--reset", "as configured again")
    .action(async (group: string, weights: string[], { reset }, command: Command) => {
      if ((weights.length === 0) !== (reset === true)) {
        command.error("error: give weights, as in blue=95 green=5, or --reset");
      }
      const pairs = weights.map((text) => {
        const pair = weightOf(text);
        return pair ?? command.error(`error: ${JSON.stringify(text)} is no weight: write blue=95`);
      });
      const split = reset === true ? undefined : Object.fromEntries(pairs);
      await give(command, {
        doing: `splitting the clients of ${group}`,
        next: reset === true ? `status ${group}` : `split ${group} --reset`,
        ask: (gateway) => gateway.setSplit(group, split),
      });
    });
  add("reset <group>", "forget what was ordered: the configuration counts again").action(
    (group: string, _, command: Command) =>
      give(command, {
        doing: `resetting ${group}`,
        next: `status ${group}`,
        ask: (gateway) => gateway.reset(group),
      }),
  );
}

function addSwitchCommands(add: AddCommand, give: GiveOrder): void {
  add("switch <group> <pool>", "make a pool the primary, prove it, and drain the one before")
    .option(...FORCE)
    .option("--dry-run", "tell what would happen")
    .option("--if-active <pool>", "only where this pool serves now")
    .option("--no-wait", "return once it serves, not once the other is drained")
    .option("--guard <time>", "watch it that long, and go back where it does badly: 60s")
    .option("--max-errors <part>", "with --guard: go back where more fail: 1%")
    .option("--max-p99 <times>", "with --guard: go back where p99 is higher: 2x")
    .action(async (group: string, to: string, options, command: Command) => {
      const { force, dryRun, ifActive, wait, guard: time, maxErrors, maxP99 } = options;
      if (time === undefined && (maxErrors ?? maxP99) !== undefined) {
        command.error("error: --max-errors and --max-p99 need --guard, as in --guard 60s");
      }
      await give(command, {
        doing: `switching ${group} to ${to}`,
        next: dryRun === true ? `switch ${group} ${to}` : `rollback ${group}`,
        ask: (gateway) =>
          gateway.switchTo(group, {
            to,
            force,
            dry_run: dryRun,
            if_active: ifActive,
            wait,
            guard: time && { for: time, max_errors: maxErrors, max_p99: maxP99 },
          }),
      });
    });
  add("rollback <group>", "undo the last switch")
    .option(...FORCE)
    .option("--no-wait", "return once it serves, not once the other is drained")
    .action((group: string, { force, wait }, command: Command) =>
      give(command, {
        doing: `rolling back ${group}`,
        next: `status ${group}`,
        ask: (gateway) => gateway.rollback(group, { force, wait }),
      }),
    );
}

function addDrillCommand(add: AddCommand, give: GiveOrder): void {
  add("drill <group>", "fail over on purpose and back, and tell what clients saw")
    .option("--for <time>", "how long the other pool serves", "10s")
    .action((group: string, { for: time }, command: Command) =>
      give(command, {
        doing: `drill of ${group}`,
        next: `status ${group}`,
        ask: (gateway) => gateway.drill(group, time),
      }),
    );
}

function addAdminCommands(add: AddCommand, give: GiveOrder): void {
  const says = {
    ready: "let a pool, or one server of it, serve again",
    drain: "give a pool, or one server of it, no new requests; those bound to it may stay",
    maint: "take a pool, or one server of it, out; nobody asks it any more",
  };
  for (const admin of ADMIN) {
    add(`${admin} <group> <pool[/server]>`, says[admin])
      .option(...FORCE)
      .option("--wait", "return once nobody is left there")
      .action((group: string, target: string, { force, wait }, command: Command) => {
        const [pool = "", ...rest] = target.split("/");
        const server = rest.length === 0 ? undefined : rest.join("/");
        return give(command, {
          doing: `${admin} ${target} of ${group}`,
          next: admin === "ready" ? `status ${group}` : `ready ${group} ${target}`,
          ask: (gateway) => gateway.setAdmin(group, { pool, server, admin, force, wait }),
        });
      });
  }
}

function addStandbyCommands(add: AddCommand, give: GiveOrder): void {
  add(
    "warm <group> <pool>",
    "start a cold standby before it is needed, and wait until it is ready",
  ).action((group: string, pool: string, _, command: Command) =>
    give(command, {
      doing: `starting ${pool} of ${group}`,
      next: `switch ${group} ${pool}`,
      ask: (gateway) => gateway.startStandby(group, pool),
    }),
  );
  add("sleep <group> <pool>", "stop a cold standby")
    .option(...FORCE)
    .action((group: string, pool: string, { force }, command: Command) =>
      give(command, {
        doing: `stopping ${pool} of ${group}`,
        next: `status ${group}`,
        ask: (gateway) => gateway.stopStandby(group, pool, force),
      }),
    );
}

function addDoorCommands(add: AddCommand, give: GiveOrder): void {
  add("hold <group>", "let requests wait at the door, for a migration")
    .option("--max <time>", "for how long at most (default: as the group is configured): 30s")
    .action((group: string, { max }, command: Command) =>
      give(command, {
        doing: `holding ${group}`,
        next: `resume ${group}`,
        ask: (gateway) => gateway.hold(group, max),
      }),
    );
  add("resume <group>", "let those that wait in, and end the hold").action(
    (group: string, _, command: Command) =>
      give(command, {
        doing: `resuming ${group}`,
        next: `status ${group}`,
        ask: (gateway) => gateway.resume(group),
      }),
  );
  add("maintenance <group> <on|off>", "answer every request with the group's page and 503").action(
    async (group: string, state: string, _, command: Command) => {
      if (state !== "on" && state !== "off") {
        command.error(`error: maintenance is on or off, not ${JSON.stringify(state)}`);
      }
      const isOn = state === "on";
      await give(command, {
        doing: `maintenance of ${group}`,
        next: isOn ? `maintenance ${group} off` : `status ${group}`,
        ask: (gateway) => gateway.setMaintenance(group, isOn),
      });
    },
  );
}

/** `blue=95`; undefined where it is none. */
function weightOf(text: string): readonly [string, number] | undefined {
  const [, pool, weight] = /^([^=]+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  return pool === undefined ? undefined : [pool, Number(weight)];
}
