import { describe, expect, test } from "vitest";
import type { GroupChange, GroupStates } from "../../../src/failover/groups.ts";
import { Groups } from "../../../src/failover/groups.ts";
import type { Config } from "../../../src/config/config.ts";
import type { ProxyContext } from "../../../src/proxy/context.ts";
import { DeadlineWheel } from "../../../src/proxy/deadline-wheel.ts";
import type { LongLived } from "../../../src/proxy/long-lived.ts";
import { LoopDelay } from "../../../src/proxy/loop-delay.ts";
import { Resolver } from "../../../src/proxy/resolver.ts";
import { SessionBindings } from "../../../src/proxy/session-bindings.ts";
import { createSite, type Site } from "../../../src/proxy/site.ts";
import { collectGarbage } from "../../support/collect-garbage.ts";
import { type GatewaySetup, readConfig } from "../../support/gateway.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { reuseUnchanged } from "../../../src/config/reuse-unchanged.ts";

const [RED, BLUE, GREEN] = [{ port: 1 }, { port: 2 }, { port: 3 }];

/** Sites that take over from one another, as the gateway does it. */
class Sites implements GroupStates {
  readonly clock = new ManualClock();
  readonly groups = new Groups(() => this.clock.now());
  subscriptions = 0;
  readonly #context: ProxyContext = {
    clock: this.clock,
    loopDelay: new LoopDelay(this.clock),
    wheel: new DeadlineWheel(this.clock),
    resolver: new Resolver(this.clock),
    random: () => 0,
    cookieKey: new Uint8Array(32),
    isProof: () => false,
    sessions: new SessionBindings(this.clock),
    onExchange: () => {},
    onUpgrade: () => {},
  };
  #config: Config;
  site: Site;

  constructor(setup: GatewaySetup) {
    this.#config = readConfig(setup);
    this.groups.load(this.#config.groups.map(({ spec }) => spec));
    this.site = createSite(this.#config, this, this.#context);
  }

  reload(setup: GatewaySetup): void {
    this.#config = reuseUnchanged(this.#config, readConfig(setup));
    this.groups.load(this.#config.groups.map(({ spec }) => spec));
    this.site = createSite(this.#config, this, this.#context, this.site);
  }

  get(name: string) {
    return this.groups.get(name);
  }

  apply(...event: Parameters<GroupStates["apply"]>): void {
    this.groups.apply(...event);
  }

  subscribe(listener: (change: GroupChange) => void): () => void {
    const end = this.groups.subscribe(listener);
    this.subscriptions += 1;
    return () => {
      this.subscriptions -= 1;
      end();
    };
  }

  /** The group that serves now. */
  get app() {
    const group = this.site.groups.find(({ config }) => config.name === "app");
    if (group === undefined) throw new Error("no app");
    return group;
  }
}

/** A tunnel that only says what it is told. */
function aTunnel(told: string[] = []): LongLived {
  return {
    kind: "tunnel",
    place: -1,
    leave: (by, afterMs) => told.push(`leave ${by} ${afterMs}`),
    stay: () => told.push("stay"),
    breakOff: () => told.push("break off"),
    destroy: () => told.push("destroy"),
  };
}

const server = (sites: Sites, index = 0) => {
  const found = sites.app.state.servers[index];
  if (found === undefined) throw new Error(`no server ${index}`);
  return found;
};

describe("after a reload", () => {
  test("a group that says the same is the very same, with the site's new rules", () => {
    const setup: GatewaySetup = { pools: { blue: [BLUE] } };
    const sites = new Sites(setup);
    const { app } = sites;

    sites.reload({
      ...setup,
      top: { trusted_proxies: ["192.0.2.1"], limits: { server_head: "9k" } },
    });

    expect(sites.app).toBe(app);
    expect([app.isTrusted("192.0.2.1"), app.answerLimits.headBytes]).toEqual([true, 9216]);
  });

  test("a changed one has the endpoints of the servers that it still has, by their addresses", () => {
    const sites = new Sites({ pools: { blue: [RED, BLUE] } });
    const before = sites.app;
    const [red, blue] = [server(sites), server(sites, 1)].map((one) => before.endpoint(one));

    sites.reload({ pools: { blue: [BLUE, GREEN] } });

    const after = [server(sites), server(sites, 1)].map((one) => sites.app.endpoint(one));
    expect(after[0]).toBe(blue);
    expect(after).not.toContain(red);
  });

  test("the one before knows what became of the servers that both have, by its own places", () => {
    const sites = new Sites({ pools: { blue: [RED, BLUE] } });
    const before = sites.app;
    sites.reload({ pools: { blue: [BLUE, GREEN], red: [RED] } });
    sites.reload({ pools: { blue: [GREEN, BLUE], red: [RED] } });

    sites.apply("app", { type: "admin-set", server: 1, admin: "maint" });
    sites.apply("app", { type: "admin-set", server: 0, admin: "drain" });

    const known = before.state.servers.map(({ spec, admin }) => `${spec.address} ${admin}`);
    expect(known).toEqual(["127.0.0.1:1 ready", "127.0.0.1:2 maint"]);
    expect(before.state).toBe(before.state);
    expect(before.choose([], "")?.server.spec.address).toBe("127.0.0.1:1");
    expect(before.whyNone([0])).toContain("127.0.0.1:2 is in maintenance");
  });

  test("what the one before reports counts where the server is now", () => {
    const sites = new Sites({ pools: { blue: [RED, BLUE] } });
    const before = sites.app;
    sites.reload({ pools: { blue: [GREEN, RED, BLUE] } });

    before.report({ type: "admin-set", server: 0, admin: "maint" });

    expect(sites.app.state.servers.map(({ admin }) => admin)).toEqual(["ready", "maint", "ready"]);
  });
});

describe("what is long-lived on a server that departed", () => {
  const setup: GatewaySetup = {
    pools: { blue: [RED, BLUE] },
    group: { drain: { tunnels: "60s", spread: "30s" } },
  };
  const without: GatewaySetup = { ...setup, pools: { blue: [BLUE] } };

  /** A tunnel on red, which is then taken out of the configuration. */
  function departed(): { sites: Sites; told: string[]; before: Sites["app"] } {
    const sites = new Sites(setup);
    const before = sites.app;
    const told: string[] = [];
    before.seat(server(sites)).inFlight += 1;
    before.admit(server(sites), aTunnel(told), 0);
    sites.reload(without);
    return { sites, told, before };
  }

  test("leaves after the drain, stays when it is back, is out of sight meanwhile", () => {
    const { sites, told } = departed();

    const meanwhile = sites.app.tunnels;
    sites.reload(setup);

    expect(told).toEqual(["leave drain 60000", "stay"]);
    expect([meanwhile, sites.app.tunnels]).toEqual([[0], [1, 0]]);
  });

  test("leaves when the gateway stops, and is destroyed at its end, over further reloads", () => {
    const { sites, told } = departed();
    sites.reload({ ...without, group: {} });

    sites.site.stop(1000);
    sites.site.close();

    expect(told).toEqual(["leave drain 60000", "leave stop 0", "destroy"]);
  });

  test("leaves soon where it begins after the others have gone", () => {
    const { sites, before } = departed();
    const told: string[] = [];

    sites.clock.stall(100_000);
    before.admit(before.state.servers[0]!, aTunnel(told), 0);

    expect(told).toEqual(["leave drain 1"]);
  });
});

test("a thousand reloads leave nothing behind but what is in use", async () => {
  const clientStays = aTunnel();
  const odd: GatewaySetup = {
    pools: { blue: [RED, BLUE] },
    others: { shop: { routes: [{ host: "shop.test" }], pools: {} } },
  };
  const even: GatewaySetup = { pools: { green: [GREEN], blue: [BLUE] } };
  const sites = new Sites(even);
  const first = sites.app;
  first.admit(server(sites, 1), clientStays, 0);
  const seen: WeakRef<object>[] = [];

  for (let n = 0; n < 500; n++) {
    sites.reload(odd);
    seen.push(...weakly(sites));
    sites.reload(even);
    seen.push(...weakly(sites));
  }
  sites.reload(odd);
  await collectGarbage();

  const left = seen.filter((ref) => ref.deref() !== undefined).length;
  // The last one and its endpoints, which departed just now.
  expect(left).toBeLessThan(4);
  expect(first.state.servers).toHaveLength(2);
  expect([sites.subscriptions, sites.clock.pending, sites.app.tunnels]).toEqual([2, 0, [0, 1]]);
});

/** The group that serves, and its first server's endpoint. */
function weakly(sites: Sites): WeakRef<object>[] {
  return [new WeakRef(sites.app), new WeakRef(sites.app.endpoint(server(sites)))];
}
