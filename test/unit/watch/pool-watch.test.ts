import { describe, expect, test } from "vitest";
import type { LineFacts } from "../../../src/watch/line-facts.ts";
import { PoolWatch } from "../../../src/watch/pool-watch.ts";

const OK: LineFacts = {
  at: undefined,
  status: 200,
  group: undefined,
  pool: "blue",
  release: undefined,
  attempts: [],
  requestTimeMs: 5,
};
const BLUE_FAILED = { addr: "a:1", status: 502 };

/** A watch and a time that goes on 10 ms a line. */
function watching(primary: string | undefined = "blue") {
  const watch = new PoolWatch("app", primary);
  let now = 0;
  const told: string[] = [];
  const note = (events: ReturnType<PoolWatch["look"]>): void => {
    told.push(...events.map((event) => `${event.type}${"to" in event ? ` ${event.to}` : ""}`));
  };
  return {
    watch,
    told,
    hear: (changes: Partial<LineFacts> = {}, times = 1) => {
      for (let n = 0; n < times; n++) {
        now += 10;
        note(watch.hear({ ...OK, at: now, ...changes }, now));
      }
    },
    pass: (ms: number) => note(watch.look((now += ms))),
  };
}

describe("which pool serves", () => {
  test("is told to be another one after three lines in a row", () => {
    const { hear, told } = watching();
    hear();
    hear({ pool: "green" }, 2);
    expect(told).toEqual([]);
    hear({ pool: "green" }, 5);

    expect(told).toEqual(["failover green"]);
  });

  test("is told after a second where nothing speaks against it", () => {
    const { hear, pass, told } = watching();
    hear();
    hear({ pool: "green" });
    pass(999);
    expect(told).toEqual([]);
    pass(1);

    expect(told).toEqual(["failover green"]);
  });

  test("is the same where one request was retried", () => {
    const { hear, pass, told } = watching();
    for (let n = 0; n < 10; n++) {
      hear({ pool: "green" });
      hear({}, 2);
    }
    pass(5_000);

    expect(told).toEqual([]);
  });

  test("does not change back for requests that began before, however long they take", () => {
    const { hear, pass, told } = watching();
    hear();
    hear({ pool: "green" }, 3);
    hear({ requestTimeMs: 5_000 }, 10);
    pass(5_000);
    expect(told).toEqual(["failover green"]);
    hear({}, 3);

    expect(told).toEqual(["failover green", "failback blue"]);
  });

  test("goes from one backup to the next", () => {
    const { hear, told } = watching();
    hear({ pool: "green" }, 3);
    hear({ pool: "amber" }, 3);
    hear({ pool: "blue" }, 3);

    expect(told).toEqual(["failover green", "failover amber", "failback blue"]);
  });

  test("is at first the one that answers, where nobody says which should", () => {
    const { watch, hear, told } = watching("");
    const unknown = new PoolWatch("app", undefined);
    unknown.hear({ ...OK, pool: "green" }, 1);
    hear({ pool: "green" }, 3);

    expect(unknown.kept.primary).toBe("green");
    expect(watch.kept.serving).toBe("green");
    expect(told).toHaveLength(1);
  });

  test("has its reason from the attempts that failed", () => {
    const watch = new PoolWatch("app", "blue");
    const line = {
      ...OK,
      pool: "green",
      release: "v2",
      attempts: [BLUE_FAILED, { addr: "b:2", status: 200 }],
    };
    const [event] = [1, 2, 3].flatMap((now) => watch.hear(line, now));

    expect(event).toEqual({
      type: "failover",
      group: "app",
      from: "blue",
      to: "green",
      reason: "green answers the requests: a:1 gave 502",
    });
    expect(watch.factsOf("green")).toEqual({
      release: "v2",
      addresses: ["b:2"],
      requestTimeMs: 5,
    });
  });
});

describe("that no server answers", () => {
  const NOBODY = { pool: undefined, status: 502, attempts: [BLUE_FAILED] };

  test("is told after three requests in a row, its end with the first that is answered", () => {
    const { hear, told } = watching();
    hear();
    hear(NOBODY, 2);
    hear();
    hear(NOBODY, 9);
    hear();

    expect(told).toEqual(["all-down", "group-recovered"]);
  });

  test("is not told where an application answers 503 itself but for its retried ones", () => {
    const { hear, told } = watching();
    hear({ status: 500 }, 9);
    hear({ status: 503, attempts: [] }, 9);

    expect(told).toEqual([]);
  });
});

test("what goes on is known after a restart", () => {
  const { watch, hear } = watching();
  hear({ pool: "green" }, 3);
  hear({ pool: undefined, status: 502 }, 3);
  const kept = JSON.parse(JSON.stringify(watch.kept));
  const next = new PoolWatch("app", "blue", kept);

  expect(next.goingOn.map(({ type }) => type)).toEqual(["failover", "all-down"]);
  expect(next.hear(OK, 50).map(({ type }) => type)).toEqual(["group-recovered"]);
});
