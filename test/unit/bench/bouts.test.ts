import { expect, test } from "vitest";
import { boutsOf, withRatios } from "../../../bench/steady/bouts.ts";

test("nginx plays between two others each time, the next pass the other way round", () => {
  const names = ["nginx", "haproxy", "caddy", "undici", "understudy", "http-proxy-3"] as const;

  const bouts = boutsOf(names, { count: 2, own: 0, abreast: 1, seconds: 1 });

  expect(bouts).toEqual([
    ["haproxy", "nginx", "caddy"],
    ["undici", "nginx", "understudy"],
    ["http-proxy-3", "nginx"],
    ["caddy", "nginx", "haproxy"],
    ["understudy", "nginx", "undici"],
    ["nginx", "http-proxy-3"],
  ]);
});

test("where there is little time one round of nginx's serves more peers", () => {
  const names = ["nginx", "haproxy", "caddy", "http-proxy-3", "undici", "understudy"] as const;

  const bouts = boutsOf(names, { count: 1, own: 0, abreast: 3, seconds: 1 });

  expect(bouts).toEqual([["haproxy", "caddy", "http-proxy-3", "nginx", "undici", "understudy"]]);
});

test("Understudy plays more often against nginx where that is asked for", () => {
  const rounds = { count: 1, own: 2, abreast: 1, seconds: 1 };
  const [s, n] = ["understudy", "nginx"] as const;

  expect(boutsOf([n, s], rounds)).toEqual([
    [s, n],
    [s, n, s],
    [s, n, s],
  ]);
  expect(boutsOf([n, "caddy"], rounds)).toEqual([["caddy", n]]);
});

test("who plays without nginx, or nginx alone, is compared with nobody", () => {
  const rounds = { count: 1, own: 1, abreast: 1, seconds: 1 };

  expect(boutsOf(["nginx"], rounds)).toEqual([["nginx"]]);
  expect(boutsOf(["caddy", "undici", "understudy"], rounds)).toEqual([
    ["caddy", "undici"],
    ["understudy"],
  ]);
  expect(withRatios(["caddy", "undici"], [{ cpuUs: 80 }, { cpuUs: 90 }])).toEqual([
    { cpuUs: 80, ratio: undefined },
    { cpuUs: 90, ratio: undefined },
  ]);
});

test("a round's ratio is to nginx's round of the same bout", () => {
  const bout = ["understudy", "nginx", "caddy"] as const;

  const rounds = withRatios(bout, [{ cpuUs: 15 }, { cpuUs: 10 }, { cpuUs: 40 }]);

  expect(rounds.map(({ ratio }) => ratio)).toEqual([1.5, 1, 4]);
});
