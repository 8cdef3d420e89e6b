/**
 * What each part of src may import besides itself: a folder, a file, `node:` for all of Node, or a
 * package. `type` before it: types only, nothing is loaded.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "http1/": [],
  "routing/": [],
  "failover/": ["type events.ts"],
  "clock.ts": [],
  "errors.ts": [],
  "events.ts": ["type errors.ts", "type failover/"],
  "config/": [
    "type clock.ts",
    "failover/",
    "routing/",
    "observe/log-template.ts",
    "node:",
    "chokidar",
    "yaml",
    "zod",
  ],
  "observe/": ["clock.ts", "type config/", "type events.ts", "type failover/", "node:", "pino"],
  "probe/": ["type clock.ts", "failover/", "node:", "undici"],
  "proxy/": [
    "type clock.ts",
    "type config/",
    "errors.ts",
    "type events.ts",
    "failover/",
    "http1/",
    "routing/",
    "node:",
  ],
  "control/": ["type events.ts", "type failover/"],
  "gateway.ts": [
    "clock.ts",
    "type config/",
    "type events.ts",
    "failover/",
    "observe/",
    "probe/",
    "proxy/",
  ],
  "cli/": ["config/", "gateway.ts", "node:", "commander", "zod"],
  "main.ts": ["cli/"],
};
