import { describe, expect, test } from "vitest";
import { logFilter } from "../../../src/observe/log-filter.ts";
import { exchangeRecord, REFUSED_THEN_ANSWERED } from "../../support/exchange-records.ts";

describe("skip", () => {
  const isWanted = logFilter({ skip: ["/healthz", "/assets/"], sample: 1 }, Math.random);

  test.each([
    ["/healthz", false],
    ["/healthz?full=1", false],
    ["/healthz/deep", false],
    ["/healthzz", true],
    ["/assets/app.js", false],
    ["/", true],
  ])("%s is logged: %s", (target, wanted) => {
    expect(isWanted(exchangeRecord({ target }))).toBe(wanted);
  });

  test.each([
    ["failed", { status: 503 }],
    ["was answered by the gateway", { status: 400, error: "BAD_REQUEST" }],
    ["took a second attempt", { attempts: REFUSED_THEN_ANSWERED }],
  ] as const)("what %s is logged all the same", (_, changes) => {
    expect(isWanted(exchangeRecord({ target: "/healthz", ...changes }))).toBe(true);
  });
});

describe("sample", () => {
  test("logs that part of the exchanges", () => {
    let draw = 0;
    const isWanted = logFilter({ skip: [], sample: 0.25 }, () => (draw++ % 100) / 100);
    const logged = Array.from({ length: 1000 }, () => isWanted(exchangeRecord())).filter(Boolean);

    expect(logged).toHaveLength(250);
  });

  test("logs whatever failed", () => {
    const isWanted = logFilter({ skip: [], sample: 0 }, () => 0.5);

    expect(isWanted(exchangeRecord())).toBe(false);
    expect(isWanted(exchangeRecord({ status: 500 }))).toBe(true);
  });
});
