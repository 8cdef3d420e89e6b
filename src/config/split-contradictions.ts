import type { Finding } from "./issues.ts";
import { quote } from "./parsed.ts";
import { entriesOf, field } from "./raw.ts";
import { didYouMean } from "./suggest.ts";

/** What is wrong between `split`, `rules` and the pools of a group that are each right. */
export function splitContradictions(name: string, group: unknown): Finding[] {
  const pools = entriesOf(field(group, "pools")).map(([pool]) => pool);
  const path = ["groups", name];
  const shares = entriesOf(field(group, "split"));
  const written = field(group, "rules");
  const rules: readonly unknown[] = Array.isArray(written) ? written : [];
  return [
    ...shares.flatMap(([pool]) => unknownPool([...path, "split", pool], "key", pool, pools)),
    ...(shares.length > 0 && shares.every(([, weight]) => weight === 0)
      ? [
          {
            path: [...path, "split"],
            at: "value",
            message: "every weight is 0: some pool has to take the clients",
          } as const,
        ]
      : []),
    ...rules.flatMap((rule, at) =>
      unknownPool([...path, "rules", at, "pool"], "value", field(rule, "pool"), pools),
    ),
  ];
}

function unknownPool(
  path: readonly PropertyKey[],
  at: Finding["at"],
  pool: unknown,
  pools: readonly string[],
): Finding[] {
  if (typeof pool !== "string" || pools.includes(pool)) return [];
  const known = pools.length === 0 ? "the group has none" : `there is ${pools.join(", ")}`;
  const hint = didYouMean(pool, pools);
  return [{ path, at, message: `no pool is named ${quote(pool)}: ${known}${hint}` }];
}
