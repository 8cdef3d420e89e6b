import * as fc from "fast-check";
import { expect, test } from "vitest";
import { draw } from "../../../src/failover/rendezvous.ts";

const KEYS = Array.from({ length: 4000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);

function winner(key: string, servers: readonly (readonly [string, number])[]): string {
  const draws = servers.map(([name, weight]) => ({ name, drawn: draw(key, name, weight) }));
  return draws.reduce((best, one) => (one.drawn > best.drawn ? one : best)).name;
}

test("a draw is a positive number that depends on nothing but key, server and weight", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      fc.integer({ min: 1, max: 1000 }),
      (key, server, weight) => {
        const drawn = draw(key, server, weight);
        return drawn > 0 && Number.isFinite(drawn) && drawn === draw(key, server, weight);
      },
    ),
  );
});

test("when a server leaves, only its own keys move", () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(names, fc.string(), fc.nat(5), (names, key, gone) => {
      const servers = names.map((name) => [name, 1] as const);
      const before = winner(key, servers);
      const left = servers.toSpliced(gone % servers.length, 1);
      return before === names[gone % names.length] || winner(key, left) === before;
    }),
  );
});

test("keys are shared in the proportion of the weights", () => {
  const servers = [
    ["blue app_blue:3000", 1],
    ["blue app_blue:3001", 2],
    ["blue app_blue:3002", 1],
  ] as const;
  const counts = new Map<string, number>();
  for (const key of KEYS)
    counts.set(winner(key, servers), (counts.get(winner(key, servers)) ?? 0) + 1);

  const shares = servers.map(([name]) => Math.round((counts.get(name) ?? 0) / 100) / 40);

  expect(shares.map((share) => Math.round(share * 20) / 20)).toEqual([0.25, 0.5, 0.25]);
});
