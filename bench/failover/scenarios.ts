import { setTimeout as after } from "node:timers/promises";
import type { Act, Scenario, Stage } from "./scenario.ts";

const PLAIN = { needs: undefined, tunnels: 0, promised: "no-get-fails" } as const;
const RELOADS_PER_SECOND = 10;

/** What clients go through. The primary is dead between a fault and the recovery that follows. */
export const SCENARIOS: readonly Scenario[] = [
  { ...PLAIN, id: "S1", title: "kill -9 of the primary", seconds: 7, acts: [killAt(2)] },
  {
    ...PLAIN,
    id: "S2",
    title: "the primary accepts and hangs",
    seconds: 13,
    acts: [
      fault(2, "SIGSTOP", ({ apps }) => apps.primary.hang()),
      recovery(8, "SIGCONT", ({ apps }) => apps.primary.wake()),
    ],
    promised: "rescue",
  },
  {
    ...PLAIN,
    id: "S3",
    title: "the primary answers 503",
    seconds: 11,
    acts: [
      fault(2, "503", ({ apps }) => apps.primary.behave("error")),
      recovery(6, "200", ({ apps }) => apps.primary.behave("ok")),
    ],
  },
  {
    ...PLAIN,
    id: "S3b",
    title: "both answer 503",
    seconds: 10,
    acts: [
      fault(2, "503", ({ apps }) =>
        Promise.all([apps.primary.behave("error"), apps.backup.behave("error")]),
      ),
      recovery(6, "200", ({ apps }) =>
        Promise.all([apps.primary.behave("ok"), apps.backup.behave("ok")]),
      ),
    ],
    promised: "own-503",
  },
  {
    ...PLAIN,
    id: "S4",
    title: "the primary restarts after 2 s",
    seconds: 9,
    acts: [killAt(2), reviveAt(4)],
  },
  {
    ...PLAIN,
    id: "S5",
    title: "the primary flaps every second",
    seconds: 11,
    acts: [killAt(2), reviveAt(3), killAt(4), reviveAt(5), killAt(6), reviveAt(7)],
  },
  {
    ...PLAIN,
    id: "S6",
    title: "primary and backup swapped by a reload, 10 WebSockets open",
    seconds: 6,
    acts: [fault(2, "swap", swap)],
    promised: "nothing",
    needs: "reload",
    tunnels: 10,
  },
  {
    ...PLAIN,
    id: "S7",
    title: "the primary resets in the middle of a body",
    seconds: 9,
    acts: [
      fault(2, "resets", ({ apps }) => apps.primary.behave("reset")),
      recovery(6, "sound", ({ apps }) => apps.primary.behave("ok")),
    ],
    promised: "cut",
  },
  {
    ...PLAIN,
    id: "S8",
    title: "keep-alive race: the primary closes idle connections at random",
    seconds: 7,
    acts: [
      other(1, "closes", ({ apps }) => apps.primary.behave("idle-close")),
      other(6, "keeps", ({ apps }) => apps.primary.behave("ok")),
    ],
  },
  {
    ...PLAIN,
    id: "S9",
    title: "slow primary: 2 s on a tenth of the requests",
    seconds: 10,
    acts: [
      other(1, "slow", ({ apps }) => apps.primary.behave("slow")),
      other(6, "fast", ({ apps }) => apps.primary.behave("ok")),
    ],
  },
  {
    ...PLAIN,
    id: "S10",
    title: "the gateway itself stops in order and starts again",
    seconds: 6,
    acts: [other(2, "restart", ({ peer }) => peer.restart())],
    promised: "nothing",
  },
  {
    ...PLAIN,
    id: "S11",
    title: "the same configuration reloaded ten times a second",
    seconds: 7,
    acts: [other(2, "reloads", reloadFor3s)],
    needs: "reload",
  },
  {
    ...PLAIN,
    id: "S12",
    title: "the processes of the gateway replaced while it serves",
    seconds: 7,
    acts: [other(2, "new ones", ({ peer }) => void peer.renew())],
    needs: "renew",
  },
];

function killAt(at: number): Act {
  return fault(at, "kill -9", ({ apps }) => apps.primary.kill());
}

function reviveAt(at: number): Act {
  return recovery(at, "back", ({ apps }) => apps.primary.start());
}

function fault(at: number, label: string, play: Act["play"]): Act {
  return { at, label, role: "fault", play };
}

function recovery(at: number, label: string, play: Act["play"]): Act {
  return { at, label, role: "recovery", play };
}

function other(at: number, label: string, play: Act["play"]): Act {
  return { at, label, role: "other", play };
}

async function swap({ apps, peer }: Stage): Promise<void> {
  const { primary, backup } = apps.ports;
  await peer.reload({ primary: backup, backup: primary });
}

async function reloadFor3s({ apps, peer }: Stage): Promise<void> {
  for (let n = 0; n < 3 * RELOADS_PER_SECOND; n++) {
    await Promise.all([peer.reload(apps.ports), after(1_000 / RELOADS_PER_SECOND)]);
  }
}
