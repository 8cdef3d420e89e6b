import { expect, test } from "vitest";
import { stateFileOf } from "../../../src/cli/state-file-of.ts";

test.each([
  { config: "/etc/app/understudy.yaml", dir: undefined, is: "/etc/app/understudy.state.json" },
  { config: "/etc/app/shop.json", dir: undefined, is: "/etc/app/shop.state.json" },
  { config: "/etc/app/shop", dir: "state", is: "/etc/app/state/shop.state.json" },
  { config: "/etc/app/a.b.yml", dir: "/var/lib/app", is: "/var/lib/app/a.b.state.json" },
])("orders of $config with state_dir $dir are in $is", ({ config, dir, is }) => {
  expect(stateFileOf(config, dir)).toBe(is);
});
