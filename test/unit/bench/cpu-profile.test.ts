import { expect, test } from "vitest";
import { readProfile } from "../../../bench/profile/cpu-profile.ts";

test("a profile gives the busy time between two moments, by function and owner", () => {
  const frame = (functionName: string, url: string, lineNumber = 9) => ({
    callFrame: { functionName, url, lineNumber },
  });
  const profile = {
    startTime: 1_000,
    nodes: [
      { id: 1, ...frame("parse", "file:///home/x/dist/http1/request-head.js") },
      { id: 2, ...frame("(idle)", "") },
      { id: 3, ...frame("onread", "node:net") },
      { id: 4, ...frame("writeLatin1String", "") },
      { id: 5, ...frame("", "file:///home/x/node_modules/pino/pino.js") },
      { id: 6, ...frame("(garbage collector)", "", -1) },
    ],
    samples: [1, 1, 2, 3, 4, 5, 6, 1],
    timeDeltas: [0, 100, 200, 400, 30, 20, 10, 5],
  };

  expect(readProfile(JSON.stringify(profile), 1_050, 1_765)).toEqual(
    [
      ["own code", "dist/http1/request-head.js", "parse", 10, 200],
      ["node's JavaScript", "node:net", "onread", 10, 30],
      ["native and kernel", "", "writeLatin1String", 10, 20],
      ["packages", "node_modules/pino/pino.js", "(anonymous)", 10, 10],
      ["garbage", "", "(garbage collector)", 0, 5],
    ].map(([owner, file, name, line, us]) => ({ owner, file, name, line, us })),
  );
});
