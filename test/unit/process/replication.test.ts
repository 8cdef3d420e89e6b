import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { factsOf } from "../../../src/failover/group-facts.ts";
import type { GroupEvent } from "../../../src/failover/group.ts";
import type { GroupState } from "../../../src/failover/group-state.ts";
import { Groups } from "../../../src/failover/groups.ts";
import type { GroupSpec } from "../../../src/failover/spec.ts";
import type { SupervisorNews, WorkerNews } from "../../../src/process/messages.ts";
import { Replica } from "../../../src/process/replica.ts";
import { type HubPeer, StateHub } from "../../../src/process/state-hub.ts";
import { aGroup, aPool, struck } from "../../support/failover-groups.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const BLUE = 0;
const GREEN = 1;

describe("a server that fails for one worker", () => {
  test("is out for it at once, and a moment later for all", async () => {
    const house = new House(2);
    const [first, second] = house.workers;

    first?.strike(BLUE);
    const atOnce = [first?.health, second?.health];
    await house.clock.advance(10);

    expect(atOnce).toEqual(["down up", "up up"]);
    expect([first?.health, second?.health, house.health]).toEqual(Array(3).fill("down up"));
  });

  test("has its strikes counted over all workers", async () => {
    const house = new House(3, 3);
    for (const worker of house.workers) {
      worker.strike(BLUE);
      await house.clock.advance(10);
    }

    expect(house.health).toBe("down up");
  });

  test("is struck once by all who meet the same failure at the same time", async () => {
    const house = new House(4);
    for (const worker of house.workers) worker.strike(BLUE);
    await house.clock.advance(10);
    house.groups.apply("app", { type: "check-passed", server: BLUE });
    await house.clock.advance(10);

    expect(house.workers.map(({ health }) => health)).toEqual(Array(4).fill("up up"));
    expect(house.groups.get("app").servers[BLUE]?.generation).toBe(2);
  });

  test("stays out for it while the news of others, older than its own, arrive", async () => {
    const house = new House(2, 2);
    const [first, second] = house.workers;
    if (first === undefined) throw new Error("no worker");
    first.sends = "late";
    first.strike(BLUE);
    first.strike(BLUE);
    second?.strike(GREEN);
    const seen = [first.health];
    first.replica.subscribe(() => seen.push(first.health));

    await house.clock.advance(10);
    first.sendLate();
    await house.clock.advance(10);

    expect(seen.every((health) => health.startsWith("down"))).toBe(true);
    expect(first.health).toBe("down suspect");
  });
});

test("a switch is known to every worker", async () => {
  const house = new House(3);

  house.groups.apply("app", { type: "switched", to: "green" });
  house.hub.flush();

  expect(house.workers.map(({ replica }) => replica.get("app").active)).toEqual([
    "green",
    "green",
    "green",
  ]);
});

test("a worker that begins knows what happened before", async () => {
  const house = new House(1);
  house.workers[0]?.strike(BLUE);
  await house.clock.advance(10);

  const late = house.hire();

  expect(late.health).toBe("down up");
});

test("a worker that drains by an older configuration knows what becomes of the servers it has", async () => {
  const house = new House(1);
  const [old] = house.workers;
  const pools = [aPool("green", {}), aPool("yellow", {})];
  house.groups.load([aGroup(pools, {}, { primary: "green" })]);
  house.hub.beginConfig();

  house.groups.apply("app", struck(house.groups.get("app"), 0));
  await house.clock.advance(1_000);

  expect(old?.health).toBe("up down");
});

test("whatever is lost on the way, all are of one opinion within a second", async () => {
  const act = fc.record({
    who: fc.nat(2),
    what: fc.constantFrom("strike", "pass", "fail", "switch", "unresolved", "reload"),
    server: fc.nat(1),
    waitMs: fc.constantFrom(0, 1, 7, 40, 300),
    lost: fc.constantFrom("none", "from", "to", "both"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
      const house = new House(3, 2);
      for (const { who, what, server, waitMs, lost } of acts) {
        const worker = house.workers[who];
        if (worker === undefined) continue;
        worker.sends = lost === "from" || lost === "both" ? "lost" : "now";
        worker.hears = lost !== "to" && lost !== "both";
        if (what === "strike") worker.strike(server);
        else if (what === "unresolved") worker.apply(UNRESOLVED(server));
        else if (what === "reload") house.reload(1 + server);
        else house.groups.apply("app", BY_SUPERVISOR[what](server));
        await house.clock.advance(waitMs);
      }
      for (const worker of house.workers) {
        worker.sends = "now";
        worker.hears = true;
      }
      await house.clock.advance(1_000);

      const truth = factsOf(house.groups.get("app"));
      for (const { replica } of house.workers) {
        expect(factsOf(replica.get("app"))).toEqual(truth);
      }
    }),
    { numRuns: 60 },
  );
});

const UNRESOLVED = (server: number): GroupEvent => ({
  type: "resolve-failed",
  server,
  reason: "ENOTFOUND",
});

const BY_SUPERVISOR: Record<"pass" | "fail" | "switch", (server: number) => GroupEvent> = {
  pass: (server) => ({ type: "check-passed", server }),
  fail: (server) => ({ type: "check-failed", server, reason: "refused" }),
  switch: (server) => ({ type: "switched", to: server === BLUE ? "blue" : "green" }),
};

/** A supervisor and its workers on one clock; each way of a worker can be cut. */
class House {
  readonly clock = new ManualClock();
  readonly groups = new Groups(() => this.clock.now());
  readonly hub: StateHub;
  readonly workers: readonly FakeWorker[];
  spec: GroupSpec;

  constructor(workers: number, maxFails = 1) {
    this.spec = specOf(maxFails);
    this.groups.load([this.spec]);
    this.hub = new StateHub(this.groups, this.clock);
    this.workers = Array.from({ length: workers }, () => this.hire());
  }

  get health(): string {
    return healthOf(this.groups.get("app"));
  }

  /** Another configuration, which every worker has made ready. */
  reload(maxFails: number): void {
    this.spec = specOf(maxFails);
    this.groups.load([this.spec]);
    this.hub.beginConfig();
    for (const worker of this.workers) worker.load(this.spec);
  }

  hire(): FakeWorker {
    return new FakeWorker(this);
  }
}

class FakeWorker {
  readonly replica: Replica;
  readonly #peer: HubPeer;
  readonly #late: WorkerNews[] = [];
  sends: "now" | "late" | "lost" = "now";
  hears = true;

  constructor({ hub, clock, spec }: House) {
    this.replica = new Replica(
      () => clock.now(),
      (news) => this.#send(news),
    );
    this.#peer = hub.admit((news) => this.#hear(news));
    this.load(spec);
  }

  load(spec: GroupSpec): void {
    this.replica.load([spec], this.#peer.state);
  }

  get health(): string {
    return healthOf(this.replica.get("app"));
  }

  strike(server: number): void {
    this.apply(struck(this.replica.get("app"), server));
  }

  apply(event: GroupEvent): void {
    this.replica.apply("app", event);
  }

  sendLate(): void {
    this.sends = "now";
    for (const news of this.#late.splice(0)) this.#send(news);
  }

  #send(news: WorkerNews): void {
    if (this.sends === "late") this.#late.push(news);
    if (this.sends !== "now") return;
    if (news.type === "event") this.#peer.hear(news.news);
    else if (news.type === "behind") this.#hear({ type: "states", state: this.#peer.state });
  }

  #hear(news: SupervisorNews): void {
    if (!this.hears) return;
    if (news.type === "states") this.replica.hear(news.state);
    else if (news.type === "beat") this.replica.onBeat(news.version, news.seen);
  }
}

function specOf(maxFails: number): GroupSpec {
  return aGroup([aPool("blue", { maxFails }), aPool("green", { maxFails })]);
}

function healthOf({ servers }: GroupState): string {
  return servers.map(({ health }) => health.status).join(" ");
}
