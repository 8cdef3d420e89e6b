import { describe, expect, test } from "vitest";
import { startNginx } from "./nginx.ts";
import { expectedOf, play } from "./play.ts";
import { startUnderstudy } from "./understudy.ts";
import { VECTORS } from "./vectors.ts";

test("every vector of the table is played", () => {
  const ids = [...new Set(VECTORS.map((vector) => vector.id))];
  expect(ids).toEqual(Array.from({ length: 36 }, (_, i) => `V${i + 1}`));
});

describe("nginx and Understudy with `compat: nginx` do the same", () => {
  test.concurrent.each(VECTORS)("$id $title", async (vector) => {
    const expected = expectedOf(vector.steps);

    const nginx = await play(vector, startNginx);
    expect({ nginx }).toEqual({ nginx: expected });

    const understudy = await play(vector, startUnderstudy("nginx"));
    expect({ understudy }).toEqual({ understudy: nginx });
  });
});
